import type { Locale } from '@rookery/tenants'

/** Words of the links between the pages of an account's owner. */
export type NavTexts = Readonly<
  Record<'label' | 'security' | 'settings' | 'sessions' | 'apps' | 'export' | 'leave', string>
>

/** In each language. */
export const navTexts: Readonly<Record<Locale, NavTexts>> = {
  en: {
    label: 'Your account',
    security: 'Security',
    settings: 'E-mail, password, handle',
    sessions: 'Sessions',
    apps: 'Apps',
    export: 'Export',
    leave: 'Deactivate or delete',
  },
  de: {
    label: 'Ihr Konto',
    security: 'Sicherheit',
    settings: 'E-Mail, Passwort, Handle',
    sessions: 'Sitzungen',
    apps: 'Apps',
    export: 'Export',
    leave: 'Deaktivieren oder löschen',
  },
  fr: {
    label: 'Votre compte',
    security: 'Sécurité',
    settings: 'E-mail, mot de passe, identifiant',
    sessions: 'Sessions',
    apps: 'Applications',
    export: 'Export',
    leave: 'Désactiver ou supprimer',
  },
  es: {
    label: 'Su cuenta',
    security: 'Seguridad',
    settings: 'Correo, contraseña, identificador',
    sessions: 'Sesiones',
    apps: 'Aplicaciones',
    export: 'Exportar',
    leave: 'Desactivar o eliminar',
  },
  ja: {
    label: 'アカウント',
    security: 'セキュリティ',
    settings: 'メール・パスワード・ハンドル',
    sessions: 'セッション',
    apps: 'アプリ',
    export: 'エクスポート',
    leave: '無効化・削除',
  },
}
