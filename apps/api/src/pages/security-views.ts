import type { AppPassword, FactorKind, Passkey } from '@rookery/accounts'
import { renderSVG } from 'uqr'

import { type Html, markup } from './markup.ts'
import { alertOf, passkeyForm } from './sign-in-views.ts'

/** What every form of the page carries. */
export type SecurityForm = { csrf: string; did: string }

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
  alert?: string | undefined
}

/** The page where an account's owner sees and changes how the account is kept safe. */
export function securityPage(view: SecurityView): Html {
  return markup`${alertOf(view.alert)}${view.done !== undefined && markup`<p class="done" role="status">${view.done}</p>`}
    <p>
      Account <strong>${view.handle}</strong>.
      <a href="/account">Devices, apps, e-mail, password and handle</a>
    </p>
    ${passkeySection(view)} ${authenticatorSection(view)} ${emailSection(view)} ${recoverySection(view)} ${trustSection(view)} ${appPasswordSection(view)}
    <h2>Sign out everywhere</h2>
    <p class="note">
      Ends every session of every app and browser, this one too. App passwords stay; revoke those you do not
      trust.
    </p>
    ${button(view, 'sign-out', 'Sign out everywhere')}`
}

function passkeySection(view: SecurityView): Html {
  const rows = view.passkeys.map(
    ({ credentialId, name, createdAt, lastUsedAt }) =>
      markup`<li>
        ${name}
        <span class="note">since ${day(createdAt)}${lastUsedAt !== null && `, last used ${day(lastUsedAt)}`}</span>
        <form method="post" action="/security/passkeys/remove">
          ${hidden(view)}<input type="hidden" name="credentialId" value="${credentialId}" />
          <button class="plain" type="submit" aria-label="Remove ${name}">Remove</button>
        </form>
      </li>`,
  )
  return markup`<h2>Passkeys</h2>
    <p class="note">
      A passkey on your device signs you in by itself, without password and code. Nobody can trick you out of it.
    </p>
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
      label: 'Add a passkey',
      fields: markup`${hidden(view)}<label for="passkey">Name of the device</label>
        <input id="passkey" name="name" maxlength="100" required />`,
    })}`
}

function trustSection(view: SecurityView): Html | false {
  if (view.trustedDevices === 0) return false
  return markup`<h2>Trusted browsers</h2>
    <p class="note">In ${view.trustedDevices} of your browsers no code is asked for at present.</p>
    ${button(view, 'distrust', 'Ask for a code everywhere', 'plain')}`
}

function authenticatorSection(view: SecurityView): Html {
  return markup`<h2>Authenticator app</h2>
    ${
      view.kinds.includes('totp')
        ? markup`<p class="note">
              A code of your authenticator app is asked for when you sign in with your password.
            </p>
            ${button(view, 'authenticator/remove', 'Remove the authenticator app', 'plain')}`
        : markup`<p class="note">An app on your phone shows a code that is asked for besides your password.</p>
            ${button(view, 'authenticator/begin', 'Set up an authenticator app')}`
    }`
}

function emailSection(view: SecurityView): Html {
  const title = markup`<h2>Codes by e-mail</h2>`
  if (view.email === null || !view.isEmailConfirmed) {
    return markup`${title}
      <p class="note">Confirm your e-mail address first: <a href="/account">e-mail settings</a>.</p>`
  }
  if (!view.kinds.includes('email')) {
    return markup`${title}
      <p class="note">A code is mailed to ${view.email} and asked for besides your password.</p>
      ${button(view, 'email-codes/on', 'Turn on codes by e-mail')}`
  }
  return markup`${title}
    <p class="note">A code is mailed to ${view.email} when you sign in with your password.</p>
    ${button(view, 'email-codes/token', 'Mail me a code to turn this off', 'plain')}
    <form method="post" action="/security/email-codes/off">
      ${hidden(view)}
      <label for="token">Code from that mail</label>
      <input
        id="token"
        name="token"
        autocomplete="one-time-code"
        autocapitalize="characters"
        spellcheck="false"
        maxlength="64"
        required
      />
      <button class="plain" type="submit">Turn off codes by e-mail</button>
    </form>`
}

function recoverySection(view: SecurityView): Html | false {
  if (view.kinds.length === 0) return false
  return markup`<h2>Recovery codes</h2>
    <p class="note">
      You have ${view.recoveryCodes} left. Each stands in once for a code that you cannot get.
    </p>
    ${button(view, 'recovery-codes', 'Make new recovery codes', 'plain')}`
}

function appPasswordSection(view: SecurityView): Html {
  const rows = view.appPasswords.map(
    ({ name, privileged, createdAt }) =>
      markup`<li>
        ${name}${privileged && ' (with direct messages)'}
        <span class="note">since ${day(createdAt)}</span>
        <form method="post" action="/security/app-passwords/revoke">
          ${hidden(view)}<input type="hidden" name="name" value="${name}" />
          <button class="plain" type="submit" aria-label="Revoke ${name}">Revoke</button>
        </form>
      </li>`,
  )
  return markup`<h2>App passwords</h2>
    <p class="note">
      For apps that cannot sign you in on a page of ours. They open less than your own password, and ask for
      no second factor.
    </p>
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
        <label for="name">Name of the app</label>
        <input id="name" name="name" maxlength="100" required />
        <p>
          <input id="privileged" name="privileged" type="checkbox" value="yes" />
          <label class="inline" for="privileged">may read and write direct messages</label>
        </p>
        <button type="submit">Make an app password</button>
      </form>`
    }`
}

/** The page that shows an authenticator app's secret until a code of it was entered. */
export function authenticatorPage(
  view: SecurityForm & { secret: { text: string; uri: string }; alert?: string | undefined },
): Html {
  const svg = renderSVG(view.secret.uri, { border: 2 })
  const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
  return markup`${alertOf(view.alert)}
    <p>Scan this with your authenticator app, or type the key into it.</p>
    <img class="qr" src="${source}" alt="QR code of the key below" />
    <p><span class="secret">${view.secret.text.replaceAll(/(.{4})(?=.)/g, '$1 ')}</span></p>
    <form method="post" action="/security/authenticator/confirm">
      ${hidden(view)}
      <label for="code">Code that the app shows now</label>
      <input
        id="code"
        name="code"
        inputmode="numeric"
        autocomplete="one-time-code"
        maxlength="16"
        required
        autofocus
      />
      <button type="submit">Confirm</button>
    </form>
    <p><a href="/security">Cancel</a></p>`
}

/** The page that shows, once, what cannot be shown again. */
export function secretsPage(view: { explanation: string; secrets: readonly string[] }): Html {
  return markup`<p>${view.explanation}</p>
    <ul class="rows">
      ${view.secrets.map((secret) => markup`<li><span class="secret">${secret}</span></li>`)}
    </ul>
    <p><a href="/security">I have kept them</a></p>`
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
