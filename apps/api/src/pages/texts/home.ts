import type { Locale } from '@rookery/tenants'

import { type Html, markup } from '../markup.ts'

const en = {
  about: (name: Html, protocol: Html) =>
    markup`This is ${name}, a personal data server of the ${protocol}: the home of accounts that work with Bluesky and hundreds of other apps.`,
  signIn: 'Have an account here? Sign in to any app with your handle.',
  suchAs: 'such as',
  join: (name: Html) => markup`Need one? Choose ${name} as the hosting provider in your app.`,
  build: (method: Html, firehose: Html) =>
    markup`Building something? Start with ${method}; everything that happens here streams from ${firehose}.`,
  security: 'Security of your account',
  move: 'Have an account elsewhere? Move it here',
}

/** What the first page says. */
export type HomeTexts = typeof en

const de: HomeTexts = {
  about: (name, protocol) =>
    markup`Das ist ${name}, ein persönlicher Datenserver des ${protocol}: das Zuhause von Konten, mit denen Bluesky und Hunderte anderer Apps arbeiten.`,
  signIn: 'Sie haben hier ein Konto? Melden Sie sich bei jeder App mit Ihrem Handle an.',
  suchAs: 'etwa',
  join: (name) => markup`Sie brauchen eines? Wählen Sie in Ihrer App ${name} als Anbieter.`,
  build: (method, firehose) =>
    markup`Sie bauen etwas? Beginnen Sie mit ${method}; alles, was hier geschieht, kommt von ${firehose}.`,
  security: 'Sicherheit Ihres Kontos',
  move: 'Sie haben anderswo ein Konto? Ziehen Sie damit hierher um',
}

const fr: HomeTexts = {
  about: (name, protocol) =>
    markup`Voici ${name}, un serveur de données personnelles du ${protocol} : il héberge des comptes qui fonctionnent avec Bluesky et des centaines d’autres applications.`,
  signIn: 'Vous avez un compte ici ? Connectez-vous à n’importe quelle application avec votre identifiant.',
  suchAs: 'par exemple',
  join: (name) => markup`Il vous en faut un ? Choisissez ${name} comme hébergeur dans votre application.`,
  build: (method, firehose) =>
    markup`Vous développez ? Commencez par ${method} ; tout ce qui se passe ici est diffusé par ${firehose}.`,
  security: 'Sécurité de votre compte',
  move: 'Vous avez un compte ailleurs ? Transférez-le ici',
}

const es: HomeTexts = {
  about: (name, protocol) =>
    markup`Esto es ${name}, un servidor de datos personales del ${protocol}: el hogar de cuentas que funcionan con Bluesky y cientos de otras aplicaciones.`,
  signIn: '¿Tiene una cuenta aquí? Inicie sesión en cualquier aplicación con su identificador.',
  suchAs: 'por ejemplo',
  join: (name) => markup`¿Necesita una? Elija ${name} como proveedor de alojamiento en su aplicación.`,
  build: (method, firehose) =>
    markup`¿Desarrolla algo? Empiece por ${method}; todo lo que ocurre aquí se transmite desde ${firehose}.`,
  security: 'Seguridad de su cuenta',
  move: '¿Tiene una cuenta en otro lugar? Trasládela aquí',
}

const ja: HomeTexts = {
  about: (name, protocol) =>
    markup`${name} は ${protocol} のパーソナルデータサーバーです。Bluesky をはじめ数百のアプリで使えるアカウントを預かっています。`,
  signIn: 'ここにアカウントをお持ちの方は、どのアプリでもハンドルでサインインできます。',
  suchAs: '例:',
  join: (name) => markup`アカウントが必要な方は、アプリのホスティング先として ${name} を選んでください。`,
  build: (method, firehose) =>
    markup`開発者の方は ${method} から始めてください。ここで起きることはすべて ${firehose} から配信されます。`,
  security: 'アカウントのセキュリティ',
  move: 'ほかのサーバーのアカウントをここへ移転',
}

/** What the first page says, in every language. */
export const homeTexts: Readonly<Record<Locale, HomeTexts>> = { en, de, fr, es, ja }
