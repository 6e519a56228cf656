import type { EmailTokenPurpose } from '@rookery/db'

/** Mails that carry a token, and what it is for. */
export const tokenPurposes = {
  'confirm-email': 'confirm_email',
  'update-email': 'update_email',
  'reset-password': 'reset_password',
  'delete-account': 'delete_account',
  'plc-operation': 'plc_operation',
  'sign-in': 'sign_in',
} as const satisfies Record<string, EmailTokenPurpose>

/** Mails that tell an owner what happened to the account. */
const noticeNames = [
  'password-changed',
  'email-changed',
  'factors-changed',
  'new-device',
  'export-ready',
  'account-deleted',
] as const

/** Name of a mail that carries a token. */
export type TokenTemplate = keyof typeof tokenPurposes

/** Name of a mail that tells what happened. */
export type NoticeTemplate = (typeof noticeNames)[number]

/** Name of a template; `message` is what a moderator writes. */
export type TemplateName = TokenTemplate | NoticeTemplate | 'message'

/** Every template. */
export const templateNames: readonly TemplateName[] = [
  ...(Object.keys(tokenPurposes) as TokenTemplate[]),
  ...noticeNames,
  'message',
]

/** Tells whether a text names a template. */
export function isTemplateName(name: string): name is TemplateName {
  return templateNames.some((known) => known === name)
}

/** Tells whether mails of the template carry a token. */
export function isTokenTemplate(name: TemplateName): name is TokenTemplate {
  return Object.hasOwn(tokenPurposes, name)
}

/** Tells whether mails of the template say what happened. */
export function isNotice(name: TemplateName): name is NoticeTemplate {
  return noticeNames.some((notice) => notice === name)
}
