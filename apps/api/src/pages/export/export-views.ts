import type { AccountExport } from '@rookery/archives'

import { buttonForm, moment } from '../form-parts.ts'
import { type Html, markup } from '../markup.ts'
import { ownPaths } from '../nav.ts'
import { exportTexts as texts } from '../texts/export.ts'
import type { SignedIn } from '../visit.ts'

const path = ownPaths.export

/** The page where an owner asks for an archive of the account, sees how far it is, and gets it. */
export function exportView(who: SignedIn, found: AccountExport | undefined): Html {
  return markup`<p>${texts.intro}</p>
    ${sectionOf(who, found)}`
}

function sectionOf(who: SignedIn, found: AccountExport | undefined): Html {
  if (found === undefined) return buttonForm(who, { action: `${path}/ask`, label: texts.ask })
  if (found.state === 'building') return building(who, found)
  if (found.state === 'ready') return ready(who, found)
  return markup`<h2>${texts.failed}</h2>
    <p class="alert" role="alert">${found.failure}</p>
    ${buttonForm(who, { action: `${path}/ask`, label: texts.again })}`
}

function building(who: SignedIn, found: AccountExport): Html {
  return markup`<h2>${texts.building}</h2>
    <div data-live role="status">${progress(found)}</div>
    <p class="note">${texts.mailed}</p>
    <p><a href="${path}?${new URLSearchParams({ did: who.account.did }).toString()}">${texts.lookAgain}</a></p>
    ${buttonForm(who, { action: `${path}/delete`, label: texts.cancel, isPlain: true })}`
}

function progress(found: AccountExport): Html {
  const { recordsTotal, recordsDone, blobsTotal, blobsDone, bytesDone } = found
  if (recordsTotal === null || blobsTotal === null) return markup`<p>${texts.waiting}</p>`
  return markup`<ul>
    <li>${recordsDone} ${texts.of} ${recordsTotal} ${texts.records}</li>
    <li>${blobsDone} ${texts.of} ${blobsTotal} ${texts.files}</li>
    <li>${inMegabytes(bytesDone)} ${texts.soFar}</li>
  </ul>`
}

function ready(who: SignedIn, found: AccountExport): Html {
  const query = new URLSearchParams({ did: who.account.did }).toString()
  return markup`<h2>${texts.ready}</h2>
    <ul>
      <li>${found.recordsDone} ${texts.records}</li>
      <li>${found.blobsDone} ${texts.files}</li>
      <li>${inMegabytes(found.size ?? 0)}</li>
    </ul>
    <p class="note">${texts.askedAt} ${moment(found.requestedAt)}. ${texts.keptUntil} ${moment(found.expiresAt)}.</p>
    <p><a href="${path}/archive?${query}" download>${texts.download}</a></p>
    ${!who.isRecent && markup`<p class="note">${texts.signInFirst}</p>`}
    ${buttonForm(who, { action: `${path}/delete`, label: texts.delete, isPlain: true })}`
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
