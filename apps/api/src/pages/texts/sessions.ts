import type { Locale } from '@rookery/tenants'

import { type Html, markup } from '../markup.ts'

const en = {
  title: 'Sessions',
  browsers: 'Browsers',
  browsersNote: 'Where you are signed in to these pages.',
  thisOne: 'this browser',
  unknownBrowser: 'Unknown browser',
  sinceAndSeen: (since: Html, seen: Html) => markup`since ${since}, last seen ${seen}`,
  sinceAndSeenFrom: (since: Html, seen: Html, address: string) =>
    markup`since ${since}, last seen ${seen} from ${address}`,
  sinceAndUntil: (since: Html, until: Html) => markup`since ${since}, good until ${until}`,
  signOut: 'Sign out',
  signOutOf: (browser: string) => `Sign out of ${browser}`,
  withPassword: 'Apps that know your password, or an app password',
  withPasswordNote: 'What you end here ends at once.',
  ownPassword: 'Your own password',
  appPassword: (name: string) => `App password “${name}”`,
  end: 'End',
  endNamed: (name: string) => `End the session of ${name}`,
  oauth: 'Apps that you signed in to with these pages',
  none: 'None.',
  ended: 'The session is ended.',
  signedOut: 'The browser is signed out.',
}

/** What the page of sessions says. */
export type SessionsTexts = typeof en

const de: SessionsTexts = {
  title: 'Sitzungen',
  browsers: 'Browser',
  browsersNote: 'Wo Sie bei diesen Seiten angemeldet sind.',
  thisOne: 'dieser Browser',
  unknownBrowser: 'Unbekannter Browser',
  sinceAndSeen: (since, seen) => markup`seit ${since}, zuletzt gesehen ${seen}`,
  sinceAndSeenFrom: (since, seen, address) => markup`seit ${since}, zuletzt gesehen ${seen} von ${address}`,
  sinceAndUntil: (since, until) => markup`seit ${since}, gültig bis ${until}`,
  signOut: 'Abmelden',
  signOutOf: (browser) => `${browser} abmelden`,
  withPassword: 'Apps, die Ihr Passwort oder ein App-Passwort kennen',
  withPasswordNote: 'Was Sie hier beenden, endet sofort.',
  ownPassword: 'Ihr eigenes Passwort',
  appPassword: (name) => `App-Passwort „${name}“`,
  end: 'Beenden',
  endNamed: (name) => `Sitzung beenden: ${name}`,
  oauth: 'Apps, bei denen Sie sich mit diesen Seiten angemeldet haben',
  none: 'Keine.',
  ended: 'Die Sitzung ist beendet.',
  signedOut: 'Der Browser ist abgemeldet.',
}

const fr: SessionsTexts = {
  title: 'Sessions',
  browsers: 'Navigateurs',
  browsersNote: 'Là où vous êtes connecté à ces pages.',
  thisOne: 'ce navigateur',
  unknownBrowser: 'Navigateur inconnu',
  sinceAndSeen: (since, seen) => markup`depuis le ${since}, dernière activité le ${seen}`,
  sinceAndSeenFrom: (since, seen, address) =>
    markup`depuis le ${since}, dernière activité le ${seen} depuis ${address}`,
  sinceAndUntil: (since, until) => markup`depuis le ${since}, valable jusqu’au ${until}`,
  signOut: 'Déconnecter',
  signOutOf: (browser) => `Déconnecter ${browser}`,
  withPassword: 'Applications qui connaissent votre mot de passe ou un mot de passe d’application',
  withPasswordNote: 'Ce que vous fermez ici se ferme aussitôt.',
  ownPassword: 'Votre propre mot de passe',
  appPassword: (name) => `Mot de passe d’application « ${name} »`,
  end: 'Fermer',
  endNamed: (name) => `Fermer la session : ${name}`,
  oauth: 'Applications auxquelles vous vous êtes connecté avec ces pages',
  none: 'Aucune session.',
  ended: 'La session est fermée.',
  signedOut: 'Le navigateur est déconnecté.',
}

const es: SessionsTexts = {
  title: 'Sesiones',
  browsers: 'Navegadores',
  browsersNote: 'Dónde tiene iniciada la sesión en estas páginas.',
  thisOne: 'este navegador',
  unknownBrowser: 'Navegador desconocido',
  sinceAndSeen: (since, seen) => markup`desde el ${since}, última actividad el ${seen}`,
  sinceAndSeenFrom: (since, seen, address) =>
    markup`desde el ${since}, última actividad el ${seen} desde ${address}`,
  sinceAndUntil: (since, until) => markup`desde el ${since}, válida hasta el ${until}`,
  signOut: 'Cerrar sesión',
  signOutOf: (browser) => `Cerrar la sesión de ${browser}`,
  withPassword: 'Aplicaciones que conocen su contraseña o una contraseña de aplicación',
  withPasswordNote: 'Lo que cierre aquí se cierra al instante.',
  ownPassword: 'Su propia contraseña',
  appPassword: (name) => `Contraseña de aplicación «${name}»`,
  end: 'Cerrar',
  endNamed: (name) => `Cerrar la sesión: ${name}`,
  oauth: 'Aplicaciones en las que inició sesión con estas páginas',
  none: 'Ninguna.',
  ended: 'La sesión se ha cerrado.',
  signedOut: 'Se ha cerrado la sesión del navegador.',
}

const ja: SessionsTexts = {
  title: 'セッション',
  browsers: 'ブラウザー',
  browsersNote: 'これらのページにサインインしているブラウザーです。',
  thisOne: 'このブラウザー',
  unknownBrowser: '不明なブラウザー',
  sinceAndSeen: (since, seen) => markup`${since} から、最終利用 ${seen}`,
  sinceAndSeenFrom: (since, seen, address) => markup`${since} から、最終利用 ${seen}(${address})`,
  sinceAndUntil: (since, until) => markup`${since} から、有効期限 ${until}`,
  signOut: 'サインアウト',
  signOutOf: (browser) => `${browser} からサインアウト`,
  withPassword: 'パスワードまたはアプリパスワードを使うアプリ',
  withPasswordNote: 'ここで終了すると、すぐに使えなくなります。',
  ownPassword: 'ご自身のパスワード',
  appPassword: (name) => `アプリパスワード「${name}」`,
  end: '終了',
  endNamed: (name) => `${name} のセッションを終了`,
  oauth: 'これらのページでサインインしたアプリ',
  none: 'ありません。',
  ended: 'セッションを終了しました。',
  signedOut: 'ブラウザーをサインアウトしました。',
}

/** What the page of sessions says, in every language. */
export const sessionsTexts: Readonly<Record<Locale, SessionsTexts>> = { en, de, fr, es, ja }
