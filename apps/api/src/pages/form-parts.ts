import { type Html, markup } from './markup.ts'
import type { SignedIn } from './visit.ts'

/** What a form of a page of an account's owner carries: its mark, and the account. */
export function hiddenFields({ csrf, account: { did } }: Pick<SignedIn, 'csrf' | 'account'>): Html {
  return markup`<input type="hidden" name="csrf" value="${csrf}" />
    <input type="hidden" name="did" value="${did}" />`
}

/** A form of one button, and of what else is hidden in it. */
export function buttonForm(
  who: SignedIn,
  form: { action: string; label: string; isPlain?: boolean; name?: string; fields?: Html },
): Html {
  const { action, label, isPlain, name, fields } = form
  return markup`<form method="post" action="${action}">
    ${hiddenFields(who)}${fields}
    <button ${isPlain === true && markup`class="plain"`} type="submit" ${name !== undefined && markup`aria-label="${name}"`}>${label}</button>
  </form>`
}

/** A field with its label and, below, what is to be known of it. */
export function inputField(field: {
  name: string
  label: string
  type?: string
  value?: string
  autocomplete: string
  note?: string | Html
  maxLength: number
  isOptional?: boolean
}): Html {
  const { name, label, type = 'text', value = '', autocomplete, note, maxLength, isOptional } = field
  return markup`<label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      value="${value}"
      autocomplete="${autocomplete}"
      maxlength="${maxLength}"
      autocapitalize="none"
      spellcheck="false"
      ${isOptional !== true && markup`required`}
      ${note !== undefined && markup`aria-describedby="${name}-note"`}
    />
    ${note !== undefined && markup`<p class="note" id="${name}-note">${note}</p>`}`
}

/** The field for a code that was mailed. */
export function codeField(name: string, label: string, isOptional = false): Html {
  return inputField({ name, label, autocomplete: 'one-time-code', maxLength: 64, isOptional })
}

/** Returns a time as a day and an hour that everybody reads the same. */
export function moment(time: Date): Html {
  const text = time.toISOString()
  return markup`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`
}
