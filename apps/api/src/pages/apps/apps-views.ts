import { hiddenFields } from '../form-parts.ts'
import { type Html, markup } from '../markup.ts'
import { ownPaths } from '../nav.ts'
import type { Reader } from '../own-page.ts'
import type { AppsTexts } from '../texts/apps.ts'
import { scopeInWords } from './scope-words.ts'

type AppsReader = Reader<AppsTexts>

/** An app, and what it may do. */
export type AuthorizedApp = { clientId: string; scopes: readonly string[]; sessions: number }

/** The page where an owner sees what which app may do, and takes it back. */
export function appsView(who: AppsReader, apps: readonly AuthorizedApp[]): Html {
  const { texts } = who
  if (apps.length === 0) return markup`<p>${texts.intro}</p><p>${texts.none}</p>`
  return markup`<p>${texts.intro}</p>
    <p class="note">${texts.unverified}</p>
    ${apps.map((app) => section(who, app))}`
}

function section(who: AppsReader, { clientId, scopes, sessions }: AuthorizedApp): Html {
  const { texts } = who
  return markup`<h2>${hostOf(clientId)}</h2>
    <p class="note">${clientId}, ${sessions > 0 ? texts.signedIn : texts.notSignedIn}</p>
    <p>${texts.mayDo}</p>
    <ul>
      ${scopes.map((scope) => markup`<li>${scopeInWords(scope, texts.scopes)}</li>`)}
    </ul>
    <form method="post" action="${ownPaths.apps}/revoke">
      ${hiddenFields(who)}<input type="hidden" name="client" value="${clientId}" />
      <button class="plain" type="submit" aria-label="${texts.revoke}: ${hostOf(clientId)}">${texts.revoke}</button>
    </form>`
}

/** What an app cannot choose freely: the host of its address. */
function hostOf(clientId: string): string {
  return URL.parse(clientId)?.host || clientId
}
