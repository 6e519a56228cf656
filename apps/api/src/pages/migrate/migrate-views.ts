import type { AccountMove } from '@rookery/moves'

import type { OldHome } from '../../accounts/move-in.ts'
import { alertOf } from '../alert.ts'
import { buttonForm, codeField, hiddenFields, inputField } from '../form-parts.ts'
import { type Html, markup } from '../markup.ts'
import { migrateTexts as texts } from '../texts/migrate.ts'
import type { SignedIn } from '../visit.ts'

/** Where the pages are. */
export const migratePaths = { start: '/migrate', here: '/migrate/here' } as const

/** The first step: which account. */
export function findView(view: { csrf: string; name: string; alert?: string | Html | undefined }): Html {
  const { csrf, name, alert } = view
  return markup`${alertOf(alert)}
    <p>${texts.intro}</p>
    <form method="post" action="${migratePaths.start}/find">
      <input type="hidden" name="csrf" value="${csrf}" />
      ${inputField({
        name: 'name',
        label: texts.name,
        value: name,
        autocomplete: 'username',
        note: texts.nameNote,
        maxLength: 2048,
      })}
      <button type="submit">${texts.find}</button>
    </form>
    <p><a href="/sign-in?next=${migratePaths.here}">${texts.signInInstead}</a></p>`
}

export type BeginView = {
  csrf: string
  home: OldHome
  domains: readonly string[]
  isInviteAsked: boolean
  handle: string
  email: string
  alert?: string | Html | undefined
}

/** The second step: the password there, and the account here. */
export function beginView(view: BeginView): Html {
  const { csrf, home, domains, isInviteAsked, handle, email, alert } = view
  const under = markup`${texts.handleUnder} ${domains.map((domain) => markup`<code>${domain}</code> `)}`
  return markup`${alertOf(alert)}
    <p>${texts.foundAt} <strong>${new URL(home.pdsUrl).host}</strong>: ${home.handle} (${home.did})</p>
    <form method="post" action="${migratePaths.start}/begin">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="name" value="${home.did}" />
      ${oldFields()}
      <h2>${texts.here}</h2>
      ${inputField({ name: 'handle', label: texts.handle, value: handle, autocomplete: 'off', note: under, maxLength: 253 })}
      ${inputField({ name: 'email', label: texts.email, value: email, type: 'email', autocomplete: 'email', maxLength: 320 })}
      ${inputField({
        name: 'password',
        label: texts.password,
        type: 'password',
        autocomplete: 'new-password',
        maxLength: 512,
      })}
      ${
        isInviteAsked &&
        inputField({
          name: 'invite',
          label: texts.invite,
          autocomplete: 'off',
          note: texts.inviteNote,
          maxLength: 128,
          isOptional: true,
        })
      }
      <button type="submit">${texts.begin}</button>
    </form>
    <p><a href="${migratePaths.start}">${texts.back}</a></p>`
}

function oldFields(): Html {
  return markup`${inputField({
    name: 'oldPassword',
    label: texts.oldPassword,
    type: 'password',
    autocomplete: 'current-password',
    note: texts.oldPasswordNote,
    maxLength: 512,
  })}
  ${inputField({
    name: 'oldCode',
    label: texts.oldCode,
    autocomplete: 'one-time-code',
    note: texts.oldCodeNote,
    maxLength: 64,
    isOptional: true,
  })}`
}

/** How far the account is, and the last step. */
export function moveView(who: SignedIn, move: AccountMove | undefined): Html {
  if (who.account.status === 'active') return markup`<p>${texts.finished}</p>`
  if (move === undefined) return markup`<p>${texts.notMoving}</p>${again(who)}`
  if (move.state === 'fetching') return fetching(who, move)
  if (move.state === 'failed')
    return markup`<h2>${texts.failed}</h2>
      <p class="alert" role="alert">${move.failure}</p>
      ${again(who)}`
  return markup`<h2>${texts.fetched}</h2>
    ${totals(move)} ${move.blobsFailed > 0 && again(who)} ${lastStep(who)}`
}

function fetching(who: SignedIn, move: AccountMove): Html {
  const query = new URLSearchParams({ did: who.account.did }).toString()
  return markup`<h2>${texts.fetching}</h2>
    <div data-live role="status">${totals(move)}</div>
    <p class="note">${texts.fetchingNote}</p>
    <p><a href="${migratePaths.here}?${query}">${texts.lookAgain}</a></p>`
}

function totals({ isRepoDone, blobsDone, blobsFailed }: AccountMove): Html {
  return markup`<ul>
    <li>${isRepoDone ? texts.repoDone : texts.repoWaits}</li>
    <li>${blobsDone} ${texts.files}</li>
    ${blobsFailed > 0 && markup`<li>${blobsFailed} ${texts.filesFailed}</li>`}
  </ul>`
}

function again(who: SignedIn): Html {
  return markup`<form method="post" action="${migratePaths.here}/again">
    ${hiddenFields(who)} ${oldFields()}
    <button class="plain" type="submit">${texts.again}</button>
  </form>`
}

function lastStep(who: SignedIn): Html {
  const isWeb = who.account.did.startsWith('did:web:')
  return markup`<h2>${texts.last}</h2>
    <p class="note">${texts.lastNote}</p>
    ${
      isWeb
        ? markup`<p>${texts.web}</p>`
        : buttonForm(who, { action: `${migratePaths.here}/code`, label: texts.sendCode, isPlain: true })
    }
    <form method="post" action="${migratePaths.here}/finish">
      ${hiddenFields(who)} ${!isWeb && codeField('code', texts.code, true)}
      <button type="submit">${texts.finish}</button>
    </form>`
}
