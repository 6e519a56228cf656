import type { AppPassword, FactorKind, Passkey } from '@rookery/accounts'
import { renderSVG } from 'uqr'

import { alertOf } from './alert.ts'
import { type Html, markup } from './markup.ts'
import { ownPaths } from './nav.ts'
import { passkeyForm } from './sign-in-views.ts'
import type { SecurityTexts } from './texts/security.ts'

/** What every form of the page carries, and what it says. */
export type SecurityForm = { csrf: string; did: string; texts: SecurityTexts }

export type SecurityView = SecurityForm & {
  handle: string
  email: string | null
  isEmailConfirmed: boolean
  kinds: readonly FactorKind[]
  recoveryCodes: number
  passkeys: readonly Passkey[]
  /** What a new one is made with. */
  passkeyOptions: object
  trustedDevices: number
  appPasswords: readonly AppPassword[]
  areAppPasswordsAllowed: boolean
  /** What was just done. */
  done?: string | undefined
  alert?: string | Html | undefined
  /** What is said if the browser makes no passkey. */
  passkeyFailed: string
}

/** The page where an account's owner sees and changes how the account is kept safe. */
export function securityPage(view: SecurityView): Html {
  const { texts } = view
  return markup`${alertOf(view.alert)}${view.done !== undefined && markup`<p class="done" role="status">${view.done}</p>`}
    <p>${texts.account} <strong>${view.handle}</strong>.</p>
    ${passkeySection(view)} ${authenticatorSection(view)} ${emailSection(view)} ${recoverySection(view)} ${trustSection(view)} ${appPasswordSection(view)}
    <h2>${texts.signOut}</h2>
    <p class="note">${texts.aboutSignOut}</p>
    ${button(view, 'sign-out', texts.signOut)}`
}

function passkeySection(view: SecurityView): Html {
  const { texts } = view
  const rows = view.passkeys.map(
    ({ credentialId, name, createdAt, lastUsedAt }) =>
      markup`<li>
        ${name}
        <span class="note">${texts.since(day(createdAt))}${lastUsedAt !== null && texts.lastUsed(day(lastUsedAt))}</span>
        <form method="post" action="/security/passkeys/remove">
          ${hidden(view)}<input type="hidden" name="credentialId" value="${credentialId}" />
          <button class="plain" type="submit" aria-label="${texts.removeNamed(name)}">${texts.remove}</button>
        </form>
      </li>`,
  )
  return markup`<h2>${texts.passkeys}</h2>
    <p class="note">${texts.aboutPasskeys}</p>
    ${
      rows.length > 0 &&
      markup`<ul class="rows">
        ${rows}
      </ul>`
    }
    ${passkeyForm({
      action: '/security/passkeys/add',
      kind: 'create',
      options: view.passkeyOptions,
      label: texts.addPasskey,
      failed: view.passkeyFailed,
      fields: markup`${hidden(view)}<label for="passkey">${texts.deviceName}</label>
        <input id="passkey" name="name" maxlength="100" required />`,
    })}`
}

function trustSection(view: SecurityView): Html | false {
  const { texts } = view
  if (view.trustedDevices === 0) return false
  return markup`<h2>${texts.trusted}</h2>
    <p class="note">${texts.aboutTrusted(view.trustedDevices)}</p>
    ${button(view, 'distrust', texts.distrust, 'plain')}`
}

function authenticatorSection(view: SecurityView): Html {
  const { texts } = view
  return markup`<h2>${texts.authenticator}</h2>
    ${
      view.kinds.includes('totp')
        ? markup`<p class="note">${texts.authenticatorOn}</p>
            ${button(view, 'authenticator/remove', texts.removeAuthenticator, 'plain')}`
        : markup`<p class="note">${texts.authenticatorOff}</p>
            ${button(view, 'authenticator/begin', texts.setUpAuthenticator)}`
    }`
}

function emailSection(view: SecurityView): Html {
  const { texts } = view
  const title = markup`<h2>${texts.emailCodes}</h2>`
  if (view.email === null || !view.isEmailConfirmed) {
    return markup`${title}
      <p class="note">${texts.confirmFirst} <a href="${ownPaths.settings}">${texts.emailSettings}</a>.</p>`
  }
  if (!view.kinds.includes('email')) {
    return markup`${title}
      <p class="note">${texts.emailCodesOff(view.email)}</p>
      ${button(view, 'email-codes/on', texts.turnOn)}`
  }
  return markup`${title}
    <p class="note">${texts.emailCodesOn(view.email)}</p>
    ${button(view, 'email-codes/token', texts.mailCode, 'plain')}
    <form method="post" action="/security/email-codes/off">
      ${hidden(view)}
      <label for="token">${texts.mailedCode}</label>
      <input
        id="token"
        name="token"
        autocomplete="one-time-code"
        autocapitalize="characters"
        spellcheck="false"
        maxlength="64"
        required
      />
      <button class="plain" type="submit">${texts.turnOff}</button>
    </form>`
}

function recoverySection(view: SecurityView): Html | false {
  const { texts } = view
  if (view.kinds.length === 0) return false
  return markup`<h2>${texts.recoveryCodes}</h2>
    <p class="note">${texts.aboutRecoveryCodes(view.recoveryCodes)}</p>
    ${button(view, 'recovery-codes', texts.renewRecoveryCodes, 'plain')}`
}

function appPasswordSection(view: SecurityView): Html {
  const { texts } = view
  const rows = view.appPasswords.map(
    ({ name, privileged, createdAt }) =>
      markup`<li>
        ${name}${privileged && ` ${texts.withMessages}`}
        <span class="note">${texts.since(day(createdAt))}</span>
        <form method="post" action="/security/app-passwords/revoke">
          ${hidden(view)}<input type="hidden" name="name" value="${name}" />
          <button class="plain" type="submit" aria-label="${texts.revokeNamed(name)}">${texts.revoke}</button>
        </form>
      </li>`,
  )
  return markup`<h2>${texts.appPasswords}</h2>
    <p class="note">${texts.aboutAppPasswords}</p>
    ${
      rows.length > 0 &&
      markup`<ul class="rows">
        ${rows}
      </ul>`
    }
    ${
      view.areAppPasswordsAllowed &&
      markup`<form method="post" action="/security/app-passwords">
        ${hidden(view)}
        <label for="name">${texts.appName}</label>
        <input id="name" name="name" maxlength="100" required />
        <p>
          <input id="privileged" name="privileged" type="checkbox" value="yes" />
          <label class="inline" for="privileged">${texts.mayMessage}</label>
        </p>
        <button type="submit">${texts.makeAppPassword}</button>
      </form>`
    }`
}

/** The page that shows an authenticator app's secret until a code of it was entered. */
export function authenticatorPage(
  view: SecurityForm & { secret: { text: string; uri: string }; alert?: string | Html | undefined },
): Html {
  const { texts } = view
  const svg = renderSVG(view.secret.uri, { border: 2 })
  const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
  return markup`${alertOf(view.alert)}
    <p>${texts.scan}</p>
    <img class="qr" src="${source}" alt="${texts.qrCode}" />
    <p><span class="secret">${view.secret.text.replaceAll(/(.{4})(?=.)/g, '$1 ')}</span></p>
    <form method="post" action="/security/authenticator/confirm">
      ${hidden(view)}
      <label for="code">${texts.shownCode}</label>
      <input
        id="code"
        name="code"
        inputmode="numeric"
        autocomplete="one-time-code"
        maxlength="16"
        required
        autofocus
      />
      <button type="submit">${texts.confirm}</button>
    </form>
    <p><a href="/security">${texts.cancel}</a></p>`
}

/** The page that shows, once, what cannot be shown again. */
export function secretsPage(view: { explanation: string; kept: string; secrets: readonly string[] }): Html {
  return markup`<p>${view.explanation}</p>
    <ul class="rows">
      ${view.secrets.map((secret) => markup`<li><span class="secret">${secret}</span></li>`)}
    </ul>
    <p><a href="/security">${view.kept}</a></p>`
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10)
}

function button(view: SecurityForm, action: string, label: string, look = ''): Html {
  return markup`<form method="post" action="/security/${action}">
    ${hidden(view)}<button class="${look}" type="submit">${label}</button>
  </form>`
}

function hidden({ csrf, did }: SecurityForm): Html {
  return markup`<input type="hidden" name="csrf" value="${csrf}" /><input
      type="hidden"
      name="did"
      value="${did}"
    />`
}
