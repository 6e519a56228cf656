import { readableOn, textOn } from './colors.ts'
import { escapeHtml } from './escape-html.ts'

/** What surrounds the content of a mail. */
export type Frame = {
  locale: string
  direction: 'ltr' | 'rtl'
  subject: string
  /** What a list of mails shows beside the subject. */
  preview: string
  brand: string
  brandColor: string
  logoUrl: string | null
  links: readonly { label: string; url: string }[]
  /** Small print, a paragraph each, as HTML. */
  footer: readonly string[]
}

const light = { page: '#f2f4f7', card: '#ffffff', text: '#1f242b', muted: '#5b6470', code: '#f2f4f7' }
const dark = { page: '#111418', card: '#1c2127', text: '#e7eaee', muted: '#a4adb8', code: '#2a3038' }

const sans =
  "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Hiragino Sans','Noto Sans JP',sans-serif"
const mono = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace"

/**
 * Returns a whole HTML mail around the content.
 *
 * Mail programs know little: tables make the layout and every style is inline, the style sheet only adds the dark
 * scheme and narrow screens where they are understood. Nothing is loaded but the logo, under the same URL for all.
 */
export function layout(frame: Frame, content: string): string {
  const { locale, direction, subject, preview, brandColor } = frame
  const lang = `lang="${locale}" dir="${direction}"`
  return `<!doctype html>
<html ${lang}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
<style>${styleSheet(brandColor)}</style>
</head>
<body class="page" style="margin:0;padding:0;background:${light.page}">
<div style="display:none;max-height:0;overflow:hidden">${escapeHtml(preview)}</div>
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:${light.page}"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px">
<tr><td class="pad" style="background:${brandColor};border-radius:10px 10px 0 0;padding:18px 32px;text-align:start">${heading(frame)}</td></tr>
<tr><td class="card pad" ${lang} style="background:${light.card};border-radius:0 0 10px 10px;padding:32px 32px 16px;text-align:start;color:${light.text};font:16px/1.55 ${sans}">
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3;font-weight:700">${escapeHtml(subject)}</h1>
${content}
</td></tr>
<tr><td class="muted pad" ${lang} style="padding:20px 32px;text-align:start;color:${light.muted};font:13px/1.5 ${sans}">
${footerOf(frame)}
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`
}

/** Returns a paragraph of HTML. */
export function paragraph(html: string): string {
  return `<p style="margin:0 0 16px">${html}</p>`
}

/** Returns a code that can be read out and is selected by one click. */
export function codeBlock(code: string): string {
  return `<p class="code" dir="ltr" style="margin:8px 0 24px;padding:16px 8px;background:${light.code};border-radius:8px;text-align:center;font:700 28px/1.2 ${mono};letter-spacing:2px;white-space:nowrap;-webkit-user-select:all;user-select:all">${escapeHtml(code)}</p>`
}

function heading({ brand, brandColor, logoUrl }: Frame): string {
  const style = `color:${textOn(brandColor)};font:700 18px/1.3 ${sans}`
  if (logoUrl === null) return `<span style="${style}">${escapeHtml(brand)}</span>`
  // On a plate of its own: whoever drew the logo did not know the colour, nor of dark screens.
  return `<img src="${escapeHtml(logoUrl)}" alt="${escapeHtml(brand)}" height="36" style="display:block;height:36px;max-width:220px;width:auto;background:#ffffff;border-radius:6px;padding:6px 10px;color:#1f242b;font:700 18px/36px ${sans}">`
}

function footerOf({ links, footer, brandColor }: Frame): string {
  const color = readableOn(brandColor, light.page)
  const anchors = links.map(
    ({ label, url }) =>
      `<a class="link" href="${escapeHtml(url)}" style="color:${color}">${escapeHtml(label)}</a>`,
  )
  const lines = anchors.length === 0 ? footer : [anchors.join(' &nbsp;·&nbsp; '), ...footer]
  return lines.map((line) => `<p style="margin:0 0 8px">${line}</p>`).join('\n')
}

function styleSheet(brandColor: string): string {
  const { page, card, text, muted, code } = dark
  return `
a { color: ${readableOn(brandColor, light.card)} }
blockquote { margin: 0 0 16px; padding-left: 16px; border-left: 4px solid ${brandColor} }
@media (prefers-color-scheme: dark) {
.page { background: ${page} !important }
.card { background: ${card} !important; color: ${text} !important }
.muted { color: ${muted} !important }
.code { background: ${code} !important; color: #ffffff !important }
a, .link { color: ${readableOn(brandColor, card)} !important }
}
@media (max-width: 480px) {
.pad { padding-left: 20px !important; padding-right: 20px !important }
.code { font-size: 23px !important; letter-spacing: 1px !important }
}
`
}
