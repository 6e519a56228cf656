import type { AccountExport } from '@rookery/archives'

import { buttonForm, moment } from '../form-parts.ts'
import type { Look } from '../look.ts'
import { type Html, markup } from '../markup.ts'
import { ownPaths } from '../nav.ts'
import type { Reader } from '../own-page.ts'
import type { ExportTexts } from '../texts/export.ts'

type ExportReader = Reader<ExportTexts>

const path = ownPaths.export

/** The page where an owner asks for an archive of the account, sees how far it is, and gets it. */
export function exportView(who: ExportReader, found: AccountExport | undefined): Html {
  return markup`<p>${who.texts.intro}</p>
    ${sectionOf(who, found)}`
}

function sectionOf(who: ExportReader, found: AccountExport | undefined): Html {
  const { texts } = who
  if (found === undefined) return buttonForm(who, { action: `${path}/ask`, label: texts.ask })
  if (found.state === 'building') return building(who, found)
  if (found.state === 'ready') return ready(who, found)
  return markup`<h2>${texts.failed}</h2>
    <p class="alert" role="alert" lang="en">${found.failure}</p>
    ${buttonForm(who, { action: `${path}/ask`, label: texts.again })}`
}

function building(who: ExportReader, found: AccountExport): Html {
  const { texts } = who
  return markup`<h2>${texts.building}</h2>
    <div data-live role="status">${progress(who, found)}</div>
    <p class="note">${texts.mailed}</p>
    <p><a href="${path}?${new URLSearchParams({ did: who.account.did }).toString()}">${texts.lookAgain}</a></p>
    ${buttonForm(who, { action: `${path}/delete`, label: texts.cancel, isPlain: true })}`
}

function progress({ texts, look }: ExportReader, found: AccountExport): Html {
  const { recordsTotal, recordsDone, blobsTotal, blobsDone, bytesDone } = found
  if (recordsTotal === null || blobsTotal === null) return markup`<p>${texts.waiting}</p>`
  return markup`<ul>
    <li>${texts.recordsOf(recordsDone, recordsTotal)}</li>
    <li>${texts.filesOf(blobsDone, blobsTotal)}</li>
    <li>${texts.soFar(inMegabytes(bytesDone, look))}</li>
  </ul>`
}

function ready(who: ExportReader, found: AccountExport): Html {
  const { texts } = who
  const query = new URLSearchParams({ did: who.account.did }).toString()
  return markup`<h2>${texts.ready}</h2>
    <ul>
      <li>${texts.records(found.recordsDone)}</li>
      <li>${texts.files(found.blobsDone)}</li>
      <li>${inMegabytes(found.size ?? 0, who.look)}</li>
    </ul>
    <p class="note">${texts.kept(moment(found.requestedAt), moment(found.expiresAt))}</p>
    <p><a href="${path}/archive?${query}" download>${texts.download}</a></p>
    ${!who.isRecent && markup`<p class="note">${texts.signInFirst}</p>`}
    ${buttonForm(who, { action: `${path}/delete`, label: texts.delete, isPlain: true })}`
}

function inMegabytes(bytes: number, { locale }: Pick<Look, 'locale'>): string {
  const form = {
    style: 'unit',
    unit: 'megabyte',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  } as const
  return (bytes / 1_000_000).toLocaleString(locale, form)
}
