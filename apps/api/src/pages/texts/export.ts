import type { Locale } from '@rookery/tenants'

import { type Html, markup } from '../markup.ts'

const en = {
  title: 'Export',
  intro:
    'An archive is one file with all that is yours here: your posts and other records, pictures, videos and other files, and the settings of your apps. Another server can import it. There is no password and no key in it.',
  ask: 'Make an archive',
  asked: 'Your archive is being made. We mail you when it is ready.',
  building: 'Your archive is being made',
  waiting: 'It waits for its turn.',
  records: (count: number) => `${count} records`,
  recordsOf: (done: number, total: number) => `${done} of ${total} records`,
  files: (count: number) => `${count} pictures and other files`,
  filesOf: (done: number, total: number) => `${done} of ${total} pictures and other files`,
  soFar: (size: string) => `${size} so far`,
  lookAgain: 'See how far it is now',
  mailed: 'You may close this page. We mail you when it is ready.',
  cancel: 'Stop making it',
  ready: 'Your archive is ready',
  download: 'Download the archive',
  kept: (asked: Html, until: Html) => markup`Asked for on ${asked}. It is kept until ${until}.`,
  delete: 'Delete the archive',
  deleted: 'The archive is deleted.',
  failed: 'The archive could not be made',
  again: 'Try again',
  signInFirst: 'To download it, sign in again.',
}

/** What the export page says. */
export type ExportTexts = typeof en

const de: ExportTexts = {
  title: 'Export',
  intro:
    'Ein Archiv ist eine einzige Datei mit allem, was hier Ihnen gehört: Ihren Beiträgen und anderen Datensätzen, Bildern, Videos und anderen Dateien und den Einstellungen Ihrer Apps. Ein anderer Server kann es importieren. Es enthält kein Passwort und keinen Schlüssel.',
  ask: 'Archiv erstellen',
  asked: 'Ihr Archiv wird erstellt. Wir schicken Ihnen eine E-Mail, wenn es fertig ist.',
  building: 'Ihr Archiv wird erstellt',
  waiting: 'Es wartet, bis es an der Reihe ist.',
  records: (count) => `Datensätze: ${count}`,
  recordsOf: (done, total) => `Datensätze: ${done} von ${total}`,
  files: (count) => `Bilder und andere Dateien: ${count}`,
  filesOf: (done, total) => `Bilder und andere Dateien: ${done} von ${total}`,
  soFar: (size) => `bisher ${size}`,
  lookAgain: 'Nachsehen, wie weit es jetzt ist',
  mailed: 'Sie können diese Seite schließen. Wir schicken Ihnen eine E-Mail, wenn es fertig ist.',
  cancel: 'Abbrechen',
  ready: 'Ihr Archiv ist fertig',
  download: 'Archiv herunterladen',
  kept: (asked, until) => markup`Angefordert am ${asked}. Es wird aufbewahrt bis ${until}.`,
  delete: 'Archiv löschen',
  deleted: 'Das Archiv ist gelöscht.',
  failed: 'Das Archiv konnte nicht erstellt werden',
  again: 'Noch einmal versuchen',
  signInFirst: 'Um es herunterzuladen, melden Sie sich noch einmal an.',
}

const fr: ExportTexts = {
  title: 'Export',
  intro:
    'Une archive est un seul fichier avec tout ce qui vous appartient ici : vos publications et autres enregistrements, vos images, vidéos et autres fichiers, et les réglages de vos applications. Un autre serveur peut l’importer. Elle ne contient ni mot de passe ni clé.',
  ask: 'Créer une archive',
  asked: 'Votre archive est en cours de création. Nous vous enverrons un e-mail quand elle sera prête.',
  building: 'Votre archive est en cours de création',
  waiting: 'Elle attend son tour.',
  records: (count) => `Enregistrements : ${count}`,
  recordsOf: (done, total) => `Enregistrements : ${done} sur ${total}`,
  files: (count) => `Images et autres fichiers : ${count}`,
  filesOf: (done, total) => `Images et autres fichiers : ${done} sur ${total}`,
  soFar: (size) => `${size} jusqu’ici`,
  lookAgain: 'Voir où elle en est',
  mailed: 'Vous pouvez fermer cette page. Nous vous enverrons un e-mail quand elle sera prête.',
  cancel: 'Annuler la création',
  ready: 'Votre archive est prête',
  download: 'Télécharger l’archive',
  kept: (asked, until) => markup`Demandée le ${asked}. Elle est conservée jusqu’au ${until}.`,
  delete: 'Supprimer l’archive',
  deleted: 'L’archive est supprimée.',
  failed: 'L’archive n’a pas pu être créée',
  again: 'Réessayer',
  signInFirst: 'Pour la télécharger, connectez-vous à nouveau.',
}

const es: ExportTexts = {
  title: 'Exportar',
  intro:
    'Un archivo reúne en un solo fichero todo lo que es suyo aquí: sus publicaciones y otros registros, imágenes, vídeos y otros ficheros, y los ajustes de sus aplicaciones. Otro servidor puede importarlo. No contiene contraseñas ni claves.',
  ask: 'Crear un archivo',
  asked: 'Se está creando su archivo. Le enviaremos un correo cuando esté listo.',
  building: 'Se está creando su archivo',
  waiting: 'Está a la espera de su turno.',
  records: (count) => `Registros: ${count}`,
  recordsOf: (done, total) => `Registros: ${done} de ${total}`,
  files: (count) => `Imágenes y otros ficheros: ${count}`,
  filesOf: (done, total) => `Imágenes y otros ficheros: ${done} de ${total}`,
  soFar: (size) => `${size} hasta ahora`,
  lookAgain: 'Ver cómo va',
  mailed: 'Puede cerrar esta página. Le enviaremos un correo cuando esté listo.',
  cancel: 'Cancelar la creación',
  ready: 'Su archivo está listo',
  download: 'Descargar el archivo',
  kept: (asked, until) => markup`Se pidió el ${asked}. Se conserva hasta el ${until}.`,
  delete: 'Borrar el archivo',
  deleted: 'El archivo se ha borrado.',
  failed: 'No se ha podido crear el archivo',
  again: 'Intentarlo de nuevo',
  signInFirst: 'Para descargarlo, inicie sesión de nuevo.',
}

const ja: ExportTexts = {
  title: 'エクスポート',
  intro:
    'アーカイブは、ここにあるご自身のデータをまとめた一つのファイルです。投稿などのレコード、画像・動画などのファイル、アプリの設定が含まれ、ほかのサーバーで取り込めます。パスワードや鍵は含まれません。',
  ask: 'アーカイブを作成',
  asked: 'アーカイブを作成しています。準備ができましたらメールでお知らせします。',
  building: 'アーカイブを作成しています',
  waiting: '順番を待っています。',
  records: (count) => `レコード: ${count} 件`,
  recordsOf: (done, total) => `レコード: ${total} 件中 ${done} 件`,
  files: (count) => `画像などのファイル: ${count} 件`,
  filesOf: (done, total) => `画像などのファイル: ${total} 件中 ${done} 件`,
  soFar: (size) => `これまでに ${size}`,
  lookAgain: '現在の進み具合を見る',
  mailed: 'このページは閉じてもかまいません。準備ができましたらメールでお知らせします。',
  cancel: '作成を中止',
  ready: 'アーカイブの準備ができました',
  download: 'アーカイブをダウンロード',
  kept: (asked, until) => markup`申請日時: ${asked}。${until} まで保管されます。`,
  delete: 'アーカイブを削除',
  deleted: 'アーカイブを削除しました。',
  failed: 'アーカイブを作成できませんでした',
  again: 'もう一度試す',
  signInFirst: 'ダウンロードするには、もう一度サインインしてください。',
}

/** What the export page says, in every language. */
export const exportTexts: Readonly<Record<Locale, ExportTexts>> = { en, de, fr, es, ja }
