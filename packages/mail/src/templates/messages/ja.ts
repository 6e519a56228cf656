import type { Messages } from '../messages.ts'

const good = 'コードの有効期間は{duration}です。'
const notYou = 'お心当たりがない場合は、コードを誰にも教えず、パスワードを変更してください。'

/** Japanese. */
export const ja: Messages = {
  direction: 'ltr',
  subjects: {
    'confirm-email': 'メールアドレスの確認',
    'update-email': 'アカウントのメールアドレスの変更',
    'reset-password': 'パスワードの再設定',
    'delete-account': 'アカウントの削除',
    'plc-operation': 'アカウントの識別情報の変更',
    'sign-in': 'サインイン用のコード',
    'password-changed': 'パスワードが変更されました',
    'email-changed': 'アカウントのメールアドレスが変更されました',
    'factors-changed': '2 段階認証の設定が変更されました',
    'new-device': 'アカウントへの新しいサインイン',
    'export-ready': 'アーカイブの準備ができました',
    'account-deleted': 'アカウントが削除されました',
    message: 'アカウントに関するお知らせ',
  },
  requests: {
    'confirm-email':
      'これが{brand}のアカウント {account} のメールアドレスであることを確認するため、次のコードを入力してください。',
    'update-email':
      '{brand}のアカウント {account} のメールアドレスを変更する申請がありました。承認するには、次のコードを入力してください。',
    'reset-password':
      '{brand}のアカウント {account} のパスワードを再設定する申請がありました。新しいパスワードを設定するには、次のコードを入力してください。',
    'delete-account':
      '{brand}のアカウント {account} を削除する申請がありました。承認するには、次のコードを入力してください。',
    'plc-operation':
      '{brand}のアカウント {account} の識別情報を変更する申請がありました(他の事業者への移転など)。承認するには、次のコードを入力してください。',
    'sign-in':
      '{brand}のアカウント {account} に、パスワードを使ってサインインしようとしています。完了するには、次のコードを入力してください。',
  },
  advice: {
    'confirm-email': [good, 'お心当たりがない場合は、何もする必要はありません。'],
    'update-email': [good, notYou],
    'reset-password': [good, 'お心当たりがない場合は、何もする必要はありません。パスワードは変わりません。'],
    'delete-account': [`${good}削除すると元に戻せません。`, notYou],
    'plc-operation': [`${good}コードを知る人は誰でもアカウントを乗っ取ることができます。`, notYou],
    'sign-in': [
      good,
      'お心当たりがない場合は、パスワードが知られています。コードを誰にも教えず、今すぐパスワードを変更してください。',
    ],
  },
  notices: {
    'password-changed': [
      '{brand}のアカウント {account} のパスワードが変更され、すべてのセッションからログアウトしました。',
      'お心当たりがない場合は、すぐにパスワードを再設定し、サポートにご連絡ください。',
    ],
    'email-changed': [
      '{brand}のアカウント {account} のメールアドレスが変更されました。今後、このアドレスにはお知らせが届きません。',
      'お心当たりがない場合は、すぐにサポートにご連絡ください。',
    ],
    'factors-changed': [
      '{brand}のアカウント {account} で、パスワードのほかに求められるもの(認証アプリ、パスキー、メールのコード、リカバリーコード)が変更されました。',
      'お心当たりがない場合は、今すぐパスワードをリセットし、サポートにご連絡ください。',
    ],
    'new-device': [
      '{brand}のアカウント {account} に、これまで使われていなかったブラウザーからサインインがありました。',
      'ご本人の場合は、何もする必要はありません。お心当たりがない場合は、今すぐパスワードを再設定してください。すべてのセッションが終了します。',
    ],
    'export-ready': [
      '申請のあった{brand}のアカウント {account} のアーカイブ(投稿、画像などのファイル、設定)の準備ができました。ダウンロードするには、サインインして「Export」のページを開いてください。数日後に削除されます。',
      'お心当たりがない場合は、そのページでアーカイブを削除し、今すぐパスワードをリセットして、サポートにご連絡ください。',
    ],
    'account-deleted': [
      '{brand}のアカウント {account} が削除されました。公開されていた内容は順次削除されます。',
      'お心当たりがない場合は、サポートにご連絡ください。',
    ],
  },
  footer: {
    reason: 'このメールは、{address} が{brand}のアカウント {account} のアドレスであるため送信されました。',
    support: 'ヘルプ',
    contact: 'お問い合わせ',
  },
}
