import type { AccountMove } from '@rookery/moves'

import type { OldHome } from '../../accounts/move-in.ts'
import { alertOf } from '../alert.ts'
import { buttonForm, codeField, hiddenFields, inputField } from '../form-parts.ts'
import { type Html, markup } from '../markup.ts'
import type { Reader } from '../own-page.ts'
import type { MigrateTexts } from '../texts/migrate.ts'

type MigrateReader = Reader<MigrateTexts>

/** Where the pages are. */
export const migratePaths = { start: '/migrate', here: '/migrate/here' } as const

/** The first step: which account. */
export function findView(view: {
  texts: MigrateTexts
  csrf: string
  name: string
  alert?: string | Html | undefined
}): Html {
  const { texts, csrf, name, alert } = view
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
    <p><a href="/sign-in?next=${migratePaths.here}">${texts.signInInstead}</a></p>
    <p><a href="/sign-in">${texts.ownAccount}</a></p>
    <p><a href="/">${texts.home}</a></p>`
}

export type BeginView = {
  texts: MigrateTexts
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
  const { texts, csrf, home, domains, isInviteAsked, handle, email, alert } = view
  const server = markup`<strong>${new URL(home.pdsUrl).host}</strong>`
  const under = markup`${texts.handleUnder} ${domains.map((domain) => markup`<code>${domain}</code> `)}`
  return markup`${alertOf(alert)}
    <p>${texts.foundAt(server, `${home.handle} (${home.did})`)}</p>
    <form method="post" action="${migratePaths.start}/begin">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="name" value="${home.did}" />
      ${oldFields(texts)}
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

function oldFields(texts: MigrateTexts): Html {
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
export function moveView(who: MigrateReader, move: AccountMove | undefined): Html {
  const { texts } = who
  if (who.account.status === 'active') return markup`<p class="done" role="status">${texts.finished}</p>`
  if (move === undefined) return markup`<p>${texts.notMoving}</p>${again(who)}`
  if (move.state === 'fetching') return fetching(who, move)
  if (move.state === 'failed')
    return markup`<h2>${texts.failed}</h2>
      <p class="alert" role="alert" lang="en">${move.failure}</p>
      ${again(who)}`
  return markup`<h2>${texts.fetched}</h2>
    ${totals(texts, move)} ${move.blobsFailed > 0 && again(who)} ${lastStep(who)}`
}

function fetching(who: MigrateReader, move: AccountMove): Html {
  const { texts } = who
  const query = new URLSearchParams({ did: who.account.did }).toString()
  return markup`<h2>${texts.fetching}</h2>
    <div data-live role="status">${totals(texts, move)}</div>
    <p class="note">${texts.fetchingNote}</p>
    <p><a href="${migratePaths.here}?${query}">${texts.lookAgain}</a></p>`
}

function totals(texts: MigrateTexts, { isRepoDone, blobsDone, blobsFailed }: AccountMove): Html {
  return markup`<ul>
    <li>${isRepoDone ? texts.repoDone : texts.repoWaits}</li>
    <li>${texts.files(blobsDone)}</li>
    ${blobsFailed > 0 && markup`<li>${texts.filesFailed(blobsFailed)}</li>`}
  </ul>`
}

function again(who: MigrateReader): Html {
  return markup`<form method="post" action="${migratePaths.here}/again">
    ${hiddenFields(who)} ${oldFields(who.texts)}
    <button class="plain" type="submit">${who.texts.again}</button>
  </form>`
}

function lastStep(who: MigrateReader): Html {
  const { texts } = who
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
