import type { Mail } from '../transport/mailer.ts'
import { type TemplateName, isTokenTemplate } from './names.ts'
import { type MailContext, renderMail } from './render-mail.ts'

/** Returns a template filled in with an example, to be looked at. */
export function sampleMail(template: TemplateName, context: Pick<MailContext, 'tenant' | 'locale'>): Mail {
  const to = 'alice@example.org'
  const of = { ...context, to, account: 'alice.example.org' }
  if (isTokenTemplate(template)) return renderMail({ template, token: 'ABCDE-23456' }, of)
  if (template !== 'message') return renderMail({ template }, of)
  const body =
    '<p>Hello,</p><p>this is what a <b>moderator</b> wrote. <a href="https://example.org">More</a></p>'
  return renderMail({ template, body }, of)
}
