import type { Locale } from '@rookery/tenants'

const en = {
  AccountTakedown: 'This account has been taken down.',
  AppPasswordRefused: 'App passwords are not allowed here, or you have one of that name.',
  ExpiredToken: 'The code is too old. Ask for a new one.',
  FactorRefused: 'That cannot be done with the account as it is.',
  Forbidden: 'This form is not from here, or was open too long. Go back and try again.',
  InvalidPasskey: 'The passkey was not accepted.',
  InvalidRequest: 'Something is missing or not as it should be.',
  InvalidToken: 'That is not the code, or it was used already.',
  MailLimitExceeded: 'Too many mails were sent. Please try again later.',
  NoEmailAddress: 'The account has no e-mail address.',
  NotFound: 'There is no such page.',
  RateLimitExceeded: 'Too many attempts. Please try again later.',
  TenantSuspended: 'Nobody can sign in here at present.',
}

/** What errors say, by the code of a domain error or else the name that it has in answers. */
export type ErrorTexts = typeof en

const de: ErrorTexts = {
  AccountTakedown: 'Dieses Konto wurde gesperrt.',
  AppPasswordRefused: 'App-Passwörter sind hier nicht erlaubt, oder Sie haben schon eines mit diesem Namen.',
  ExpiredToken: 'Der Code ist zu alt. Fordern Sie einen neuen an.',
  FactorRefused: 'Das geht mit dem Konto in seinem jetzigen Zustand nicht.',
  Forbidden:
    'Dieses Formular stammt nicht von hier oder war zu lange offen. Gehen Sie zurück und versuchen Sie es noch einmal.',
  InvalidPasskey: 'Der Passkey wurde nicht angenommen.',
  InvalidRequest: 'Etwas fehlt oder ist nicht, wie es sein soll.',
  InvalidToken: 'Das ist nicht der Code, oder er wurde schon benutzt.',
  MailLimitExceeded: 'Es wurden zu viele E-Mails verschickt. Bitte versuchen Sie es später noch einmal.',
  NoEmailAddress: 'Das Konto hat keine E-Mail-Adresse.',
  NotFound: 'Diese Seite gibt es nicht.',
  RateLimitExceeded: 'Zu viele Versuche. Bitte versuchen Sie es später noch einmal.',
  TenantSuspended: 'Zurzeit kann sich hier niemand anmelden.',
}

const fr: ErrorTexts = {
  AccountTakedown: 'Ce compte a été bloqué.',
  AppPasswordRefused:
    'Les mots de passe d’application ne sont pas autorisés ici, ou vous en avez déjà un de ce nom.',
  ExpiredToken: 'Le code est trop ancien. Demandez-en un nouveau.',
  FactorRefused: 'Ce n’est pas possible dans l’état actuel du compte.',
  Forbidden:
    'Ce formulaire ne vient pas d’ici ou est resté ouvert trop longtemps. Revenez en arrière et réessayez.',
  InvalidPasskey: 'La clé d’accès n’a pas été acceptée.',
  InvalidRequest: 'Il manque quelque chose, ou une saisie n’est pas valable.',
  InvalidToken: 'Ce n’est pas le bon code, ou il a déjà servi.',
  MailLimitExceeded: 'Trop d’e-mails ont été envoyés. Veuillez réessayer plus tard.',
  NoEmailAddress: 'Le compte n’a pas d’adresse e-mail.',
  NotFound: 'Cette page n’existe pas.',
  RateLimitExceeded: 'Trop de tentatives. Veuillez réessayer plus tard.',
  TenantSuspended: 'Personne ne peut se connecter ici pour le moment.',
}

const es: ErrorTexts = {
  AccountTakedown: 'Esta cuenta ha sido bloqueada.',
  AppPasswordRefused:
    'Las contraseñas de aplicación no están permitidas aquí, o ya tiene una con ese nombre.',
  ExpiredToken: 'El código es demasiado antiguo. Pida uno nuevo.',
  FactorRefused: 'No es posible en el estado actual de la cuenta.',
  Forbidden:
    'Este formulario no es de aquí o ha estado abierto demasiado tiempo. Vuelva atrás e inténtelo de nuevo.',
  InvalidPasskey: 'La clave de acceso no se ha aceptado.',
  InvalidRequest: 'Falta algo o algún dato no es válido.',
  InvalidToken: 'Ese no es el código, o ya se ha usado.',
  MailLimitExceeded: 'Se han enviado demasiados correos. Inténtelo de nuevo más tarde.',
  NoEmailAddress: 'La cuenta no tiene dirección de correo.',
  NotFound: 'Esta página no existe.',
  RateLimitExceeded: 'Demasiados intentos. Inténtelo de nuevo más tarde.',
  TenantSuspended: 'Por ahora nadie puede iniciar sesión aquí.',
}

const ja: ErrorTexts = {
  AccountTakedown: 'このアカウントは停止されています。',
  AppPasswordRefused: 'ここではアプリパスワードを使用できないか、同じ名前のものがすでにあります。',
  ExpiredToken: 'コードの有効期限が切れています。新しいコードを取得してください。',
  FactorRefused: 'アカウントの現在の状態では実行できません。',
  Forbidden: 'このフォームは無効か、長時間開かれたままでした。前のページに戻ってもう一度お試しください。',
  InvalidPasskey: 'パスキーを確認できませんでした。',
  InvalidRequest: '入力が足りないか、正しくありません。',
  InvalidToken: 'コードが正しくないか、すでに使用されています。',
  MailLimitExceeded: '送信されたメールが多すぎます。しばらくしてからもう一度お試しください。',
  NoEmailAddress: 'アカウントにメールアドレスがありません。',
  NotFound: 'ページが見つかりません。',
  RateLimitExceeded: '試行回数が多すぎます。しばらくしてからもう一度お試しください。',
  TenantSuspended: '現在ここではサインインできません。',
}

/** What errors say, in every language. */
export const errorTexts: Readonly<Record<Locale, ErrorTexts>> = { en, de, fr, es, ja }
