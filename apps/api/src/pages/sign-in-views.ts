import type { FactorKind } from '@rookery/accounts'

import { alertOf } from './alert.ts'
import { type Html, markup } from './markup.ts'
import { migratePaths } from './migrate/migrate-views.ts'
import type { SignInTexts } from './texts/sign-in.ts'

/** What every form carries, and what it says. */
export type FormBase = { csrf: string; next: string; isKept: boolean; texts: SignInTexts }

/** The form that a browser with passkeys fills in by itself: to sign in, or to make one. */
export function passkeyForm(form: {
  action: string
  kind: 'create' | 'get'
  options: object
  fields: Html
  label: string
  /** What is said if the browser makes none. */
  failed: string
}): Html {
  return markup`<form
    method="post"
    action="${form.action}"
    data-passkey="${form.kind}"
    data-options="${JSON.stringify(form.options)}"
    data-failed="${form.failed}"
    hidden
  >
    ${form.fields}<input type="hidden" name="credential" value="" />
    <button class="plain" type="submit">${form.label}</button>
    <p role="alert"></p>
  </form>`
}

/** The form to sign in with a passkey instead. */
export function passkeySignIn({
  csrf,
  next,
  isKept,
  texts,
  options,
  failed,
}: FormBase & { options: object; failed: string }): Html {
  return passkeyForm({
    action: '/sign-in/passkey',
    kind: 'get',
    options,
    label: texts.passkey,
    failed,
    fields: markup`<input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="next" value="${next}" />
      <input type="hidden" name="keep" value="${isKept ? 'yes' : ''}" />`,
  })
}

/** The accounts that are signed in with the browser, to choose one; nothing without any. */
export function chooser(
  { csrf, next, texts }: FormBase,
  signedIn: readonly { account: { did: string; handle?: string | undefined } }[],
): Html | false {
  if (signedIn.length === 0) return false
  const rows = signedIn.map(
    ({ account: { did, handle = did } }) =>
      markup`<li>
        <form method="post" action="/sign-in/continue">
          <input type="hidden" name="csrf" value="${csrf}" />
          <input type="hidden" name="next" value="${next}" />
          <input type="hidden" name="did" value="${did}" />
          <button class="plain" type="submit">${texts.continueAs(handle)}</button>
        </form>
      </li>`,
  )
  return markup`<ul class="rows">
      ${rows}
    </ul>
    <h2>${texts.otherAccount}</h2>`
}

/** The form for name and password. */
export function passwordForm(
  base: FormBase & {
    username: string
    passkey: Html
    alert?: string | Html | undefined
    /** Whether somebody may sign up here. */
    isOpen: boolean
  },
): Html {
  const { csrf, next, isKept, texts, username, passkey, alert, isOpen } = base
  const isForApp = next.startsWith('/oauth/authorize?')
  return markup`${alertOf(alert)}
    <form method="post" action="/sign-in">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="next" value="${next}" />
      <label for="username">${texts.identifier}</label>
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
      <label for="password">${texts.password}</label>
      <input
        id="password"
        name="password"
        type="password"
        autocomplete="current-password"
        maxlength="512"
        required
        ${username !== '' && markup`autofocus`}
      />
      <p>
        <input id="keep" name="keep" type="checkbox" value="yes" ${isKept && markup`checked`} />
        <label class="inline" for="keep">${texts.keep}</label>
      </p>
      <button type="submit">${texts.signIn}</button>
    </form>
    ${passkey}
    <p><a href="/account/reset-password">${texts.forgotten}</a></p>
    ${isForApp && markup`<p><a href="${providersPage(next)}">${texts.create}</a></p>`}
    ${isOpen && markup`<p><a href="${migratePaths.start}">${texts.move}</a></p>`}`
}

/** The form for a second factor. */
export function factorForm(
  base: FormBase & {
    did: string
    until: string
    pending: string
    passkey: Html
    kinds: readonly FactorKind[]
    alert?: string | Html | undefined
    trustDays: number
  },
): Html {
  const hidden = markup`<input type="hidden" name="csrf" value="${base.csrf}" />
    <input type="hidden" name="next" value="${base.next}" />
    <input type="hidden" name="did" value="${base.did}" />
    <input type="hidden" name="until" value="${base.until}" />
    <input type="hidden" name="pending" value="${base.pending}" />
    <input type="hidden" name="keep" value="${base.isKept ? 'yes' : ''}" />`
  const { texts } = base
  const isMailed = base.kinds.includes('email')
  return markup`${alertOf(base.alert)}
    <p>${base.kinds.map((kind) => `${texts[kind]} `)}${texts.recovery}</p>
    <form method="post" action="/sign-in/code">
      ${hidden}
      <label for="code">${texts.code}</label>
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
      ${
        base.trustDays > 0 &&
        markup`<p>
          <input id="trust" name="trust" type="checkbox" value="yes" />
          <label class="inline" for="trust">${texts.trust(base.trustDays)}</label>
        </p>`
      }
      <button type="submit">${texts.confirm}</button>
    </form>
    ${base.passkey}
    ${
      isMailed &&
      markup`<form method="post" action="/sign-in/code">
        ${hidden}<button class="plain" type="submit">${texts.another}</button>
      </form>`
    }`
}

/** The provider's own page for the same request. */
function providersPage(next: string): string {
  return `${next}&pages=provider`
}
