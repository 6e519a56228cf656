import { buttonForm, codeField, hiddenFields, inputField } from '../form-parts.ts'
import { type Html, markup } from '../markup.ts'
import { ownPaths } from '../nav.ts'
import type { Reader } from '../own-page.ts'
import type { LeaveTexts } from '../texts/leave.ts'

type LeaveReader = Reader<LeaveTexts>

const path = ownPaths.leave

/** The page where an owner deactivates the account, activates it again, or deletes it. */
export function leaveView(who: LeaveReader): Html {
  const { texts } = who
  const query = new URLSearchParams({ did: who.account.did }).toString()
  return markup`<p>${texts.exportFirst} <a href="${ownPaths.export}?${query}">${texts.exportLink}</a></p>
    ${who.account.deactivated_at === null ? deactivation(who) : activation(who)}
    <h2>${texts.delete}</h2>
    <p class="note">${texts.deleteNote}</p>
    ${buttonForm(who, { action: `${path}/code`, label: texts.sendCode, isPlain: true })}
    <form method="post" action="${path}/delete">
      ${hiddenFields(who)} ${codeField('token', texts.code)}
      ${inputField({
        name: 'password',
        label: texts.password,
        type: 'password',
        autocomplete: 'current-password',
        maxLength: 512,
      })}
      <button type="submit">${texts.delete}</button>
    </form>`
}

function deactivation(who: LeaveReader): Html {
  const { texts } = who
  return markup`<h2>${texts.deactivate}</h2>
    <p class="note">${texts.deactivateNote}</p>
    ${buttonForm(who, { action: `${path}/deactivate`, label: texts.deactivate })}`
}

function activation(who: LeaveReader): Html {
  const { texts } = who
  return markup`<h2>${texts.activate}</h2>
    <p class="note">${texts.isDeactivated}</p>
    ${buttonForm(who, { action: `${path}/activate`, label: texts.activate })}`
}

/** What is shown when the account is gone. */
export function deletedView(texts: LeaveTexts): Html {
  return markup`<p class="done" role="status">${texts.deleted}</p>`
}
