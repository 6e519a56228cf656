import type { Person } from './people.ts'
import type { Visitor } from './visitor.ts'

/** Fills in and sends our own sign-in page, which is open. */
export async function enterPassword({ page }: Visitor, { handle, password }: Person): Promise<void> {
  await page.getByLabel('Handle or e-mail address').fill(handle)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Signs in to the page for the safety of the account. */
export async function signInToSecurity(visitor: Visitor, person: Person): Promise<void> {
  await visitor.open('/sign-in')
  await enterPassword(visitor, person)
  await visitor.page.waitForURL('**/security')
}

/** Allows an app what it asks for. */
export async function authorize({ page }: Visitor): Promise<void> {
  await page.getByRole('button', { name: 'Authorize' }).click()
}

/** Proves that no app is signed in as whoever uses the browser. */
export async function expectNoApps(visitor: Visitor): Promise<void> {
  await visitor.open('/apps')
  await visitor.page.getByText('There is none.').waitFor()
}
