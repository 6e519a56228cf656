import { invalidHandle } from '@rookery/syntax'

import { buttonForm, codeField, hiddenFields, inputField } from '../form-parts.ts'
import { type Html, markup } from '../markup.ts'
import { ownPaths } from '../nav.ts'
import type { Reader } from '../own-page.ts'
import type { SettingsTexts } from '../texts/settings.ts'

type SettingsReader = Reader<SettingsTexts>

const path = ownPaths.settings

/** The page where an owner changes address, password and handle. */
export function settingsView(who: SettingsReader, { domains }: { domains: readonly string[] }): Html {
  return markup`<p>${who.texts.account} <strong>${who.account.handle ?? invalidHandle}</strong> (${who.account.did})</p>
    ${emailSection(who)} ${passwordSection(who)} ${handleSection(who, domains)}`
}

function emailSection(who: SettingsReader): Html {
  const { texts } = who
  const { email, email_confirmed_at: confirmedAt } = who.account
  const isConfirmed = confirmedAt !== null
  return markup`<h2>${texts.email}</h2>
    <p>
      ${
        email === null
          ? texts.noAddress
          : markup`<strong>${email}</strong>, ${isConfirmed ? texts.confirmed : texts.notConfirmed}`
      }
    </p>
    ${email !== null && !isConfirmed && confirmation(who)}
    <h3>${texts.changeEmail}</h3>
    ${
      isConfirmed &&
      markup`<p class="note">${texts.changeNeedsCode}</p>
        ${buttonForm(who, { action: `${path}/email-code`, label: texts.sendChangeCode, isPlain: true })}`
    }
    <form method="post" action="${path}/email">
      ${hiddenFields(who)}
      ${inputField({ name: 'email', label: texts.newEmail, type: 'email', autocomplete: 'email', maxLength: 320 })}
      ${isConfirmed && codeField('token', texts.changeCode)}
      <button type="submit">${texts.changeEmail}</button>
    </form>`
}

function confirmation(who: SettingsReader): Html {
  const { texts } = who
  return markup`${buttonForm(who, { action: `${path}/confirm-code`, label: texts.sendConfirmation, isPlain: true })}
    <form method="post" action="${path}/confirm">
      ${hiddenFields(who)} ${codeField('confirmation', texts.confirmCode)}
      <button type="submit">${texts.confirm}</button>
    </form>`
}

function passwordSection(who: SettingsReader): Html {
  const { texts } = who
  const field = (name: string, label: string, autocomplete: string): Html =>
    inputField({ name, label, autocomplete, type: 'password', maxLength: 512 })
  return markup`<h2>${texts.password}</h2>
    <p class="note">${texts.passwordNote}</p>
    <form method="post" action="${path}/password">
      ${hiddenFields(who)}
      <input type="hidden" name="username" value="${who.account.handle ?? who.account.did}" autocomplete="username" />
      ${field('current', texts.current, 'current-password')} ${field('password', texts.newPassword, 'new-password')}
      ${field('repeat', texts.repeat, 'new-password')}
      <button type="submit">${texts.changePassword}</button>
    </form>
    <p><a href="/account/reset-password">${texts.forgotten}</a></p>`
}

function handleSection(who: SettingsReader, domains: readonly string[]): Html {
  const { texts } = who
  const note = markup`${
    domains.length > 0 &&
    markup`${texts.handleUnder} ${domains.map((domain) => markup`<code>${domain}</code> `)}<br />`
  }
    ${texts.handleOwn} <code>did=${who.account.did}</code>`
  return markup`<h2>${texts.handle}</h2>
    <p>${texts.handleNow(markup`<strong>${who.account.handle ?? invalidHandle}</strong>`)}</p>
    <form method="post" action="${path}/handle">
      ${hiddenFields(who)}
      ${inputField({ name: 'handle', label: texts.newHandle, autocomplete: 'off', note, maxLength: 253 })}
      <button type="submit">${texts.changeHandle}</button>
    </form>`
}

/** What is shown when the password is changed: nobody is signed in any more. */
export function passwordChangedView(texts: SettingsTexts): Html {
  return markup`<p class="done" role="status">${texts.signInAgain}</p>
    <p><a href="/sign-in?next=${path}">${texts.signIn}</a></p>`
}
