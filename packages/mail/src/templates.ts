import type { EmailTokenPurpose } from '@rookery/db'

import type { Mail } from './mailer.ts'

/** What a template is filled in with. */
export type TemplateContext = {
  /** The tenant's name. */
  brand: string
  /** Handle of the account, or its DID. */
  account: string
  token: string
}

type Template = {
  /** What the mailed token is for. */
  purpose: EmailTokenPurpose
  subject: string
  paragraphs: (context: TemplateContext) => string[]
}

/** Every mail that carries a token. */
export const templates = {
  'confirm-email': {
    purpose: 'confirm_email',
    subject: 'Confirm your e-mail address',
    paragraphs: ({ account, brand }) => [
      `To confirm that this is the address of the account ${account} at ${brand}, enter this code:`,
      'The code is good for 15 minutes.',
      'If you have no such account, you need not do anything.',
    ],
  },
  'update-email': {
    purpose: 'update_email',
    subject: 'Change the e-mail address of your account',
    paragraphs: ({ account, brand }) => [
      `Somebody asked to change the e-mail address of the account ${account} at ${brand}. To confirm, enter this code:`,
      'The code is good for 15 minutes.',
      'If it was not you, do not share the code, and change your password.',
    ],
  },
  'reset-password': {
    purpose: 'reset_password',
    subject: 'Reset your password',
    paragraphs: ({ account, brand }) => [
      `Somebody asked to reset the password of the account ${account} at ${brand}. To choose a new one, enter this code:`,
      'The code is good for 15 minutes.',
      'If it was not you, you need not do anything: your password stays as it is.',
    ],
  },
  'delete-account': {
    purpose: 'delete_account',
    subject: 'Delete your account',
    paragraphs: ({ account, brand }) => [
      `Somebody asked to delete the account ${account} at ${brand}. To confirm, enter this code:`,
      'The code is good for 15 minutes. Deleting cannot be undone.',
      'If it was not you, do not share the code, and change your password.',
    ],
  },
  'plc-operation': {
    purpose: 'plc_operation',
    subject: 'Change the identity of your account',
    paragraphs: ({ account, brand }) => [
      `Somebody asked to change the identity of the account ${account} at ${brand}, for example to move it to another provider. To confirm, enter this code:`,
      'The code is good for 15 minutes. Whoever has it can take the account over.',
      'If it was not you, do not share the code, and change your password.',
    ],
  },
} as const satisfies Record<string, Template>

/** Name of a template. */
export type TemplateName = keyof typeof templates

/** Tells whether a text names a template. */
export function isTemplateName(name: string): name is TemplateName {
  return Object.hasOwn(templates, name)
}

/** Returns the mail of a template. */
export function renderMail(name: TemplateName, to: string, context: TemplateContext): Mail {
  const template: Template = templates[name]
  const [first = '', ...rest] = template.paragraphs(context)
  const text = [first, `    ${context.token}`, ...rest, `— ${context.brand}`].join('\n\n')
  const body = [
    paragraph(first),
    `<p style="font:700 24px ui-monospace,monospace;letter-spacing:2px">${escapeHtml(context.token)}</p>`,
    ...rest.map(paragraph),
    paragraph(`— ${context.brand}`),
  ].join('\n')
  const html = `<!doctype html>\n<html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:2em auto">\n${body}\n</body></html>\n`
  return { to, subject: template.subject, text, html }
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char)
}
