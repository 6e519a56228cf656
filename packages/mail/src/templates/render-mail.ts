import { emailTokenLifeMs } from '@rookery/accounts'
import type { Locale, Tenant } from '@rookery/tenants'

import type { Mail } from '../transport/mailer.ts'
import { escapeHtml } from './escape-html.ts'
import { type Frame, codeBlock, layout, paragraph } from './layout.ts'
import { htmlToText, safeHtml } from './message-html.ts'
import { type Messages, durationInWords, fill, messages } from './messages.ts'
import { type NoticeTemplate, type TokenTemplate, isNotice } from './names.ts'

/** Colour of tenants that chose none. */
const defaultBrandColor = '#2b4c7e'

/** What a mail says. */
export type MailContent =
  | { template: TokenTemplate; token: string }
  | { template: NoticeTemplate; token?: undefined }
  /** What a moderator wrote: `body` is HTML or plain text; without a subject it gets a general one. */
  | { template: 'message'; subject?: string | undefined; body: string; token?: undefined }

/** Whom a mail is for, and in whose name. */
export type MailContext = {
  to: string
  /** Handle of the account, or its DID. */
  account: string
  tenant: Pick<Tenant, 'name' | 'settings'>
  locale: Locale
}

/** A piece of a mail; text and HTML are both made from it. Links to pages of ours would be one more kind. */
type Block = { kind: 'text'; text: string } | { kind: 'code'; code: string } | { kind: 'html'; html: string }

/** Returns a mail in the tenant's brand and the given language, as plain text and as HTML of one source. */
export function renderMail(content: MailContent, context: MailContext): Mail {
  const { to, tenant, locale } = context
  const words = messages[locale]
  const own = content.template === 'message' ? content.subject?.trim() : undefined
  const subject = oneLine(own === undefined || own === '' ? words.subjects[content.template] : own)
  const values = {
    account: oneLine(context.account),
    brand: oneLine(tenant.name),
    address: to,
    duration: durationInWords(locale, emailTokenLifeMs),
  }
  // A notice may go to an address that no longer is the account's, and says itself what it is about.
  const reason = isNotice(content.template) ? [] : [words.footer.reason]
  const letter = { subject, blocks: blocksOf(content, words), reason, values, context, words }
  return {
    to,
    subject,
    text: toText(letter),
    html: toHtml(letter),
  }
}

function blocksOf(content: MailContent, words: Messages): Block[] {
  const texts = (list: readonly string[]): Block[] => list.map((text) => ({ kind: 'text', text }))
  if (content.template === 'message') return [{ kind: 'html', html: safeHtml(content.body) }]
  if (content.token === undefined) return texts(words.notices[content.template])
  const { template, token } = content
  return [
    ...texts([words.requests[template]]),
    { kind: 'code', code: token },
    ...texts(words.advice[template]),
  ]
}

/** A mail before it has a form. */
type Letter = {
  subject: string
  blocks: readonly Block[]
  /** Why somebody gets this mail, if that is to be said. */
  reason: readonly string[]
  values: Readonly<Record<'account' | 'brand' | 'address' | 'duration', string>>
  context: MailContext
  words: Messages
}

function toText({ blocks, reason, values, context, words }: Letter): string {
  const { settings } = context.tenant
  const body = blocks.map((block) => {
    if (block.kind === 'code') return `    ${block.code}`
    return block.kind === 'html' ? htmlToText(block.html) : fill(block.text, values)
  })
  const links = linksOf(settings, words).map(({ label, url }) => `${label}: ${url.replace(/^mailto:/, '')}`)
  const footer = [...reason.map((text) => fill(text, values)), ...links, settings.mailFooter ?? []].flat()
  return `${[...body, `— ${values.brand}`, ...(footer.length === 0 ? [] : [footer.join('\n')])].join('\n\n')}\n`
}

function toHtml({ subject, blocks, reason, values, context, words }: Letter): string {
  const { settings } = context.tenant
  const escaped = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, escapeHtml(value)]))
  const marked = { ...escaped, account: `<strong>${escapeHtml(values.account)}</strong>` }
  const content = blocks.map((block) => {
    if (block.kind === 'code') return codeBlock(block.code)
    return block.kind === 'html' ? block.html : paragraph(fill(escapeHtml(block.text), marked))
  })
  const first = blocks.find((block) => block.kind === 'text')
  const frame: Frame = {
    locale: context.locale,
    direction: words.direction,
    subject,
    preview: first === undefined ? '' : fill(first.text, values),
    brand: values.brand,
    brandColor: settings.brandColor ?? defaultBrandColor,
    logoUrl: settings.logoUrl,
    links: linksOf(settings, words),
    footer: [
      ...reason.map((text) => fill(escapeHtml(text), escaped)),
      ...(settings.mailFooter === null ? [] : [escapeHtml(settings.mailFooter).replaceAll('\n', '<br>')]),
    ],
  }
  return layout(frame, content.join('\n'))
}

function linksOf(settings: Tenant['settings'], { footer }: Messages): Frame['links'] {
  const { supportUrl, contactEmail } = settings
  return [
    ...(supportUrl === null ? [] : [{ label: footer.support, url: supportUrl }]),
    ...(contactEmail === null ? [] : [{ label: footer.contact, url: `mailto:${contactEmail}` }]),
  ]
}

/** A name that holds line breaks must not become more headers. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
