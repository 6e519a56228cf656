import type { Locale } from '@rookery/tenants'

const en = {
  terms: 'Terms of Service',
  privacy: 'Privacy Policy',
  support: 'Help',
  failed: 'That did not work',
  ourFault: 'Something went wrong here. Please try again later.',
  passkeyFailed: 'That did not work. Please try again.',
}

/** What every page may say. */
export type LayoutTexts = typeof en

const de: LayoutTexts = {
  terms: 'Nutzungsbedingungen',
  privacy: 'Datenschutzerklärung',
  support: 'Hilfe',
  failed: 'Das hat nicht geklappt',
  ourFault: 'Hier ist etwas schiefgegangen. Bitte versuchen Sie es später noch einmal.',
  passkeyFailed: 'Das hat nicht geklappt. Bitte versuchen Sie es noch einmal.',
}

const fr: LayoutTexts = {
  terms: 'Conditions d’utilisation',
  privacy: 'Politique de confidentialité',
  support: 'Aide',
  failed: 'Cela n’a pas fonctionné',
  ourFault: 'Une erreur s’est produite de notre côté. Veuillez réessayer plus tard.',
  passkeyFailed: 'Cela n’a pas fonctionné. Veuillez réessayer.',
}

const es: LayoutTexts = {
  terms: 'Condiciones del servicio',
  privacy: 'Política de privacidad',
  support: 'Ayuda',
  failed: 'No ha funcionado',
  ourFault: 'Algo ha fallado por nuestra parte. Inténtelo de nuevo más tarde.',
  passkeyFailed: 'No ha funcionado. Inténtelo de nuevo.',
}

const ja: LayoutTexts = {
  terms: '利用規約',
  privacy: 'プライバシーポリシー',
  support: 'ヘルプ',
  failed: '処理できませんでした',
  ourFault: 'サーバーで問題が発生しました。しばらくしてからもう一度お試しください。',
  passkeyFailed: '処理できませんでした。もう一度お試しください。',
}

/** What every page may say, in every language. */
export const layoutTexts: Readonly<Record<Locale, LayoutTexts>> = { en, de, fr, es, ja }
