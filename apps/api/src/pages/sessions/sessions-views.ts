import type { DeviceAccount } from '@atproto/oauth-provider/store'
import type { PasswordSession } from '@rookery/accounts'

import { hiddenFields, moment } from '../form-parts.ts'
import { type Html, markup } from '../markup.ts'
import { ownPaths } from '../nav.ts'
import type { Reader } from '../own-page.ts'
import type { SessionsTexts } from '../texts/sessions.ts'

type SessionsReader = Reader<SessionsTexts>

/** A session of an app by OAuth. */
export type AppSession = { id: string; clientId: string; createdAt: Date; updatedAt: Date }

export type SessionsView = {
  browsers: readonly DeviceAccount[]
  withPassword: readonly PasswordSession[]
  apps: readonly AppSession[]
}

/** The page where an owner sees where the account is signed in, and ends that. */
export function sessionsView(who: SessionsReader, { browsers, withPassword, apps }: SessionsView): Html {
  const { texts } = who
  return markup`<h2>${texts.browsers}</h2>
    <p class="note">${texts.browsersNote}</p>
    ${list(
      texts,
      browsers.map((browser) => browserRow(who, browser)),
    )}
    <h2>${texts.oauth}</h2>
    ${list(
      texts,
      apps.map((app) => appRow(who, app)),
    )}
    <h2>${texts.withPassword}</h2>
    <p class="note">${texts.withPasswordNote}</p>
    ${list(
      texts,
      withPassword.map((session) => passwordRow(who, session)),
    )}`
}

function browserRow(who: SessionsReader, { deviceId, deviceData, createdAt }: DeviceAccount): Html {
  const { texts } = who
  const seenFrom = texts.sinceAndSeenFrom(
    moment(createdAt),
    moment(deviceData.lastSeenAt),
    deviceData.ipAddress,
  )
  const name = deviceData.userAgent ?? texts.unknownBrowser
  return markup`<li>
    ${name}${deviceId === who.deviceId && markup` <strong>(${texts.thisOne})</strong>`}
    <span class="note">${seenFrom}</span>
    ${endForm(who, { action: 'browser', id: deviceId, label: texts.signOut, name: texts.signOutOf(name) })}
  </li>`
}

function appRow(who: SessionsReader, { id, clientId, createdAt, updatedAt }: AppSession): Html {
  const { texts } = who
  return markup`<li>
    ${clientId}
    <span class="note">${texts.sinceAndSeen(moment(createdAt), moment(updatedAt))}</span>
    ${endForm(who, { action: 'app', id, label: texts.end, name: texts.endNamed(clientId) })}
  </li>`
}

function passwordRow(who: SessionsReader, { id, appPassword, startedAt, expiresAt }: PasswordSession): Html {
  const { texts } = who
  const name = appPassword === null ? texts.ownPassword : texts.appPassword(appPassword)
  return markup`<li>
    ${name}
    <span class="note">${texts.sinceAndUntil(moment(startedAt), moment(expiresAt))}</span>
    ${endForm(who, { action: 'password', id, label: texts.end, name: texts.endNamed(name) })}
  </li>`
}

function endForm(
  who: SessionsReader,
  { action, id, label, name }: { action: string; id: string; label: string; name: string },
): Html {
  return markup`<form method="post" action="${ownPaths.sessions}/${action}">
    ${hiddenFields(who)}<input type="hidden" name="id" value="${id}" />
    <button class="plain" type="submit" aria-label="${name}">${label}</button>
  </form>`
}

function list(texts: SessionsTexts, rows: readonly Html[]): Html {
  if (rows.length === 0) return markup`<p>${texts.none}</p>`
  return markup`<ul class="rows">
    ${rows}
  </ul>`
}
