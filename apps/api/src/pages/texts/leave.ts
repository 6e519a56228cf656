import type { Locale } from '@rookery/tenants'

const en = {
  title: 'Deactivate or delete',
  exportFirst: 'Before you leave, you can take everything with you:',
  exportLink: 'make an archive',
  deactivate: 'Deactivate the account',
  deactivateNote:
    'Nobody sees the account and what it published any more, until you activate it again. Nothing is deleted.',
  deactivated: 'Your account is deactivated.',
  isDeactivated: 'Your account is deactivated: nobody sees it.',
  activate: 'Activate the account',
  activated: 'Your account is active.',
  delete: 'Delete the account',
  deleteNote:
    'The account, everything it published and its archive here are deleted for good. Nobody can bring them back.',
  sendCode: 'Mail me the code to delete the account',
  codeSent: 'The code is on its way.',
  code: 'Code from that mail',
  password: 'Your password',
  deletedTitle: 'Your account is deleted',
  deleted: 'What it published is being removed. A mail confirms it.',
}

/** What the page to deactivate or delete an account says. */
export type LeaveTexts = typeof en

const de: LeaveTexts = {
  title: 'Deaktivieren oder löschen',
  exportFirst: 'Bevor Sie gehen, können Sie alles mitnehmen:',
  exportLink: 'Archiv erstellen',
  deactivate: 'Konto deaktivieren',
  deactivateNote:
    'Niemand sieht das Konto und was es veröffentlicht hat, bis Sie es wieder aktivieren. Nichts wird gelöscht.',
  deactivated: 'Ihr Konto ist deaktiviert.',
  isDeactivated: 'Ihr Konto ist deaktiviert: Niemand sieht es.',
  activate: 'Konto aktivieren',
  activated: 'Ihr Konto ist aktiv.',
  delete: 'Konto löschen',
  deleteNote:
    'Das Konto, alles, was es veröffentlicht hat, und sein Archiv hier werden endgültig gelöscht. Niemand kann sie wiederherstellen.',
  sendCode: 'Code zum Löschen des Kontos mailen',
  codeSent: 'Der Code ist unterwegs.',
  code: 'Code aus dieser E-Mail',
  password: 'Ihr Passwort',
  deletedTitle: 'Ihr Konto ist gelöscht',
  deleted: 'Was es veröffentlicht hat, wird entfernt. Eine E-Mail bestätigt es.',
}

const fr: LeaveTexts = {
  title: 'Désactiver ou supprimer',
  exportFirst: 'Avant de partir, vous pouvez tout emporter :',
  exportLink: 'créer une archive',
  deactivate: 'Désactiver le compte',
  deactivateNote:
    'Personne ne voit plus le compte ni ce qu’il a publié, jusqu’à ce que vous le réactiviez. Rien n’est supprimé.',
  deactivated: 'Votre compte est désactivé.',
  isDeactivated: 'Votre compte est désactivé : personne ne le voit.',
  activate: 'Réactiver le compte',
  activated: 'Votre compte est actif.',
  delete: 'Supprimer le compte',
  deleteNote:
    'Le compte, tout ce qu’il a publié et son archive ici sont supprimés définitivement. Personne ne peut les rétablir.',
  sendCode: 'M’envoyer le code pour supprimer le compte',
  codeSent: 'Le code est en route.',
  code: 'Code reçu dans cet e-mail',
  password: 'Votre mot de passe',
  deletedTitle: 'Votre compte est supprimé',
  deleted: 'Ce qu’il a publié est en cours de suppression. Un e-mail vous le confirmera.',
}

const es: LeaveTexts = {
  title: 'Desactivar o eliminar',
  exportFirst: 'Antes de irse, puede llevárselo todo:',
  exportLink: 'crear un archivo',
  deactivate: 'Desactivar la cuenta',
  deactivateNote:
    'Nadie verá la cuenta ni lo que ha publicado hasta que la active de nuevo. No se elimina nada.',
  deactivated: 'Su cuenta está desactivada.',
  isDeactivated: 'Su cuenta está desactivada: nadie la ve.',
  activate: 'Activar la cuenta',
  activated: 'Su cuenta está activa.',
  delete: 'Eliminar la cuenta',
  deleteNote:
    'La cuenta, todo lo que ha publicado y su archivo aquí se eliminan definitivamente. Nadie puede recuperarlos.',
  sendCode: 'Enviarme el código para eliminar la cuenta',
  codeSent: 'El código está en camino.',
  code: 'Código de ese correo',
  password: 'Su contraseña',
  deletedTitle: 'Su cuenta se ha eliminado',
  deleted: 'Lo que publicó se está eliminando. Un correo se lo confirmará.',
}

const ja: LeaveTexts = {
  title: '無効化・削除',
  exportFirst: '退会する前に、すべてのデータを持ち出せます:',
  exportLink: 'アーカイブを作成',
  deactivate: 'アカウントを無効化',
  deactivateNote:
    'もう一度有効にするまで、アカウントと公開した内容は誰にも表示されません。削除されるものはありません。',
  deactivated: 'アカウントを無効にしました。',
  isDeactivated: 'アカウントは無効です。誰にも表示されません。',
  activate: 'アカウントを有効化',
  activated: 'アカウントは有効です。',
  delete: 'アカウントを削除',
  deleteNote:
    'アカウント、公開した内容、ここにあるアーカイブは完全に削除されます。元に戻すことは誰にもできません。',
  sendCode: 'アカウントを削除するためのコードをメールで送る',
  codeSent: 'コードを送信しました。',
  code: 'メールに書かれたコード',
  password: 'パスワード',
  deletedTitle: 'アカウントを削除しました',
  deleted: '公開されていた内容は順次削除されます。確認のメールをお送りします。',
}

/** What the page to deactivate or delete an account says, in every language. */
export const leaveTexts: Readonly<Record<Locale, LeaveTexts>> = { en, de, fr, es, ja }
