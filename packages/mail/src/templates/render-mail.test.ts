import { emailTokenLifeMs } from '@rookery/accounts'
import { locales, tenantSettings } from '@rookery/tenants'
import { describe, expect, test } from 'vitest'

import { contrast, contrastMin, readableOn, textOn } from './colors.ts'
import { chooseLocale, durationInWords, messages } from './messages.ts'
import { isTokenTemplate, templateNames } from './names.ts'
import { renderMail } from './render-mail.ts'
import { sampleMail } from './sample-mail.ts'

const tenant = { name: 'Ærø & <Søn>', settings: tenantSettings.parse({}) }
const context = { to: 'alice@mail.example', account: 'alice.example.com', tenant, locale: 'en' as const }
const every = locales.flatMap((locale) => templateNames.map((template) => ({ locale, template })))

describe('every template in every language', () => {
  test.each(every)(
    '$template in $locale has every place filled, and says the same twice',
    ({ locale, template }) => {
      const { subject, text, html } = sampleMail(template, { tenant, locale })
      for (const part of [subject, text, html.replace(/<style>.*<\/style>/s, '')])
        expect(part).not.toMatch(/[{}]/)
      expect(html).toContain(`<html lang="${locale}" dir="ltr">`)
      expect(html).not.toMatch(/<img|<script|\son\w+=/)
      const hasToken = isTokenTemplate(template)
      expect(text.includes('\n\n    ABCDE-23456\n\n')).toBe(hasToken)
      expect(html.includes('>ABCDE-23456</p>')).toBe(hasToken)
      expect(text.includes(durationInWords(locale, emailTokenLifeMs))).toBe(hasToken)
    },
  )

  test.each(locales)('%s fills in what English fills in', (locale) => {
    expect(placesOf(messages[locale])).toEqual(placesOf(messages.en))
  })

  test.each(locales.filter((locale) => locale !== 'en'))('%s is no copy of English', (locale) => {
    for (const template of templateNames) {
      expect(messages[locale].subjects[template]).not.toBe(messages.en.subjects[template])
    }
  })
})

/** The places of each text, by where it stands; lists of paragraphs may be cut differently. */
function placesOf(value: unknown): unknown {
  const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).toSorted()
  if (typeof value === 'string') return places(value)
  if (Array.isArray(value)) return places(value.join(' '))
  return Object.fromEntries(Object.entries(value as object).map(([key, part]) => [key, placesOf(part)]))
}

test.each([
  [undefined, undefined],
  ['de-AT,de;q=0.9,en;q=0.8', 'de'],
  ['pt-BR, ja;q=0.5, en;q=0.1', 'ja'],
  ['xx, yy', undefined],
  ['\u0000;;;q=,', undefined],
])('of Accept-Language %j we speak %s', (header, locale) => {
  expect(chooseLocale(header)).toBe(locale)
})

test('names are escaped where they stand in HTML, and are one line everywhere', () => {
  const evil = '</h1><script>alert(1)</script>"\'\r\nBcc: eve@mail.example'
  const { subject, text, html } = renderMail(
    { template: 'message', subject: evil, body: 'Hello' },
    { ...context, account: evil, tenant: { ...tenant, name: evil } },
  )
  expect(html).not.toContain('<script')
  expect(html).toContain('&lt;script&gt;')
  expect(subject).not.toMatch(/[\r\n]/)
  expect(text).not.toMatch(/^Bcc/m)
})

describe('a moderator’s message', () => {
  const render = (body: string) => renderMail({ template: 'message', body }, context)

  test('keeps harmless HTML and loses what tracks, runs or hides', () => {
    const { html, text } = render(
      `<h1>Hi</h1><p style="display:none" onclick="x()">Your <b>post</b> <a href="https://a.example/?a=1&amp;b=2">here</a>
       <a href="javascript:alert(1)">bad</a><img src="https://t.example/p.gif"><iframe src="https://x.example"></iframe></p><script>run()</script>`,
    )
    expect(html).toContain('<h2>Hi</h2>')
    expect(html).toContain('<b>post</b> <a href="https://a.example/?a=1&amp;b=2">here</a>')
    const content = html.slice(html.indexOf('<h2>'))
    expect(content).not.toMatch(/javascript:|<img|<iframe|<script|run\(\)|onclick|display:none/)
    expect(text).toContain('https://a.example/?a=1&b=2')
    expect(text).not.toMatch(/<(h2|b|a|p)\b/)
  })

  test('as plain text keeps its paragraphs and lines, and is not taken for HTML', () => {
    const { html, text } = render('1 < 2 & so\non\r\n\r\nNext')
    expect(html).toContain('<p>1 &lt; 2 &amp; so<br>\non</p>\n<p>Next</p>')
    expect(text).toContain('1 < 2 & so\non\n\nNext')
  })
})

describe('a tenant’s brand', () => {
  const settings = tenantSettings.parse({
    logoUrl: 'https://t.example/logo.png?a="b"',
    brandColor: '#FFD23F',
    supportUrl: 'https://t.example/help',
    contactEmail: 'help@t.example',
    mailFooter: 'T Inc. <1>\nSpringfield',
  })
  const { html, text } = renderMail(
    { template: 'password-changed' },
    { ...context, tenant: { name: 'T', settings } },
  )

  test('shows in the HTML', () => {
    expect(html).toContain('background:#FFD23F')
    expect(html).toMatch(/<img src="https:\/\/t\.example\/logo\.png\?a=[^"<>]*" alt="T"/)
    expect(html).toContain('href="https://t.example/help"')
    expect(html).toContain('href="mailto:help@t.example"')
    expect(html).toContain('T Inc. &lt;1&gt;<br>Springfield')
  })

  test('shows in the text', () => {
    expect(text).toContain('Help: https://t.example/help\nContact: help@t.example\nT Inc. <1>\nSpringfield')
  })

  test.each(['#ffffff', '#000000', '#FFD23F', '#777777', '#2b4c7e', '#ff0000'])(
    'in %s can be read',
    (color) => {
      expect(contrast(textOn(color), color)).toBeGreaterThanOrEqual(contrastMin)
      for (const background of ['#ffffff', '#f2f4f7', '#1c2127', '#111418']) {
        expect(contrast(readableOn(color, background), background)).toBeGreaterThanOrEqual(contrastMin)
      }
    },
  )

  test.each(['red', '#fff', '#12345g', 'javascript:1'])('is not of the colour %s', (brandColor) => {
    expect(tenantSettings.safeParse({ brandColor }).success).toBe(false)
  })
})
