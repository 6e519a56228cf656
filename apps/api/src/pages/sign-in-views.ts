import type { FactorKind } from '@rookery/accounts'

import { type Html, markup } from './markup.ts'

/** What every form carries. */
export type FormBase = { csrf: string; next: string }

/** A sentence that says what went wrong; nothing without one. */
export function alertOf(message: string | undefined): Html | false {
  return message !== undefined && markup`<p class="alert" role="alert">${message}</p>`
}

/** The form that a browser with passkeys fills in by itself: to sign in, or to make one. */
export function passkeyForm(form: {
  action: string
  kind: 'create' | 'get'
  options: object
  fields: Html
  label: string
}): Html {
  return markup`<form
    method="post"
    action="${form.action}"
    data-passkey="${form.kind}"
    data-options="${JSON.stringify(form.options)}"
    hidden
  >
    ${form.fields}<input type="hidden" name="credential" value="" />
    <button class="plain" type="submit">${form.label}</button>
    <p role="alert"></p>
  </form>`
}

/** The form to sign in with a passkey instead. */
export function passkeySignIn({ csrf, next, options }: FormBase & { options: object }): Html {
  return passkeyForm({
    action: '/sign-in/passkey',
    kind: 'get',
    options,
    label: 'Sign in with a passkey',
    fields: markup`<input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="next" value="${next}" />`,
  })
}

/** The form for name and password. */
export function passwordForm(
  base: FormBase & { username: string; passkey: Html; alert?: string | undefined },
): Html {
  const { csrf, next, username, passkey, alert } = base
  const isForApp = next.startsWith('/oauth/authorize?')
  return markup`${alertOf(alert)}
    <form method="post" action="/sign-in">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="next" value="${next}" />
      <label for="username">Handle or e-mail address</label>
      <input
        id="username"
        name="username"
        value="${username}"
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        required
        ${username === '' && markup`autofocus`}
      />
      <label for="password">Password</label>
      <input
        id="password"
        name="password"
        type="password"
        autocomplete="current-password"
        maxlength="512"
        required
        ${username !== '' && markup`autofocus`}
      />
      <button type="submit">Sign in</button>
    </form>
    ${passkey}
    <p class="note">You stay signed in on this device until you sign out of it.</p>
    <p><a href="/account/reset-password">Forgot your password?</a></p>
    ${isForApp && markup`<p><a href="${providersPage(next)}">Create an account, or sign in for this once</a></p>`}`
}

/** The form for a second factor. */
export function factorForm(
  base: FormBase & {
    did: string
    until: string
    pending: string
    passkey: Html
    kinds: readonly FactorKind[]
    alert?: string | undefined
  },
): Html {
  const hidden = markup`<input type="hidden" name="csrf" value="${base.csrf}" />
    <input type="hidden" name="next" value="${base.next}" />
    <input type="hidden" name="did" value="${base.did}" />
    <input type="hidden" name="until" value="${base.until}" />
    <input type="hidden" name="pending" value="${base.pending}" />`
  const isMailed = base.kinds.includes('email')
  return markup`${alertOf(base.alert)}
    <p>${base.kinds.map((kind) => `${sentences[kind]} `)}A recovery code will do as well.</p>
    <form method="post" action="/sign-in/code">
      ${hidden}
      <label for="code">Code</label>
      <input
        id="code"
        name="code"
        autocomplete="one-time-code"
        autocapitalize="characters"
        spellcheck="false"
        maxlength="64"
        required
        autofocus
      />
      <p>
        <input id="trust" name="trust" type="checkbox" value="yes" />
        <label class="inline" for="trust">do not ask for a code in this browser for 30 days</label>
      </p>
      <button type="submit">Confirm</button>
    </form>
    ${base.passkey}
    ${
      isMailed &&
      markup`<form method="post" action="/sign-in/code">
        ${hidden}<button class="plain" type="submit">Mail me a new code</button>
      </form>`
    }`
}

const sentences: Record<FactorKind, string> = {
  totp: 'Enter the code that your authenticator app shows.',
  email: 'Enter the code that was mailed to you.',
}

/** The provider's own page for the same request. */
function providersPage(next: string): string {
  return `${next}&pages=provider`
}
