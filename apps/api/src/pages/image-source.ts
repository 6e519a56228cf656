/**
 * Returns what a content security policy calls one picture: origin and path, for a query is not compared (CSP 3, 6.7.2.8), with what
 * would end the directive written in another way.
 */
export function imageSource(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname.replaceAll(/[;,']/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
}
