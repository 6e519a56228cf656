/** Where people go on to after they signed in, unless they came from somewhere else. */
export const securityPath = '/security'

const allowed = [
  /^\/oauth\/authorize\?[\x21-\x7e]*$/,
  /^\/account(\/[\w:.%-]*)*$/,
  /^\/(security|settings|sessions|apps|export|leave|migrate)(\/[\w-]+)*(\?[\x21-\x7e]*)?$/,
]

/** Returns where to go on to: a page of this host, whatever the text says. */
export function nextPage(text: unknown): string {
  const isOurs =
    typeof text === 'string' && !text.includes('\\') && allowed.some((pattern) => pattern.test(text))
  return isOurs ? text : securityPath
}
