import type { FactorKind } from '@rookery/accounts'

import { type Html, markup } from './markup.ts'

/** What every form carries. */
export type FormBase = { csrf: string; next: string }

/** A sentence that says what went wrong; nothing without one. */
export function alertOf(message: string | undefined): Html | false {
  return message !== undefined && markup`<p class="alert" role="alert">${message}</p>`
}

/** The form for name and password. */
export function passwordForm(base: FormBase & { username: string; alert?: string | undefined }): Html {
  const { csrf, next, username, alert } = base
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
      <button type="submit">Confirm</button>
    </form>
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
