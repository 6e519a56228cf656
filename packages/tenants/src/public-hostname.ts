/**
 * Tells whether a relay on the internet can reach a host under its name: a domain name without port, which is neither
 * an IP address nor under a top-level domain that is reserved for private use or tests.
 */
export function isPublicHostname(hostname: string): boolean {
  const labels = hostname.split('.')
  const topLevel = labels.at(-1) ?? ''
  if (labels.length < 2 || !/^[a-z0-9.-]+$/.test(hostname) || !/^[a-z][a-z0-9-]+$/.test(topLevel))
    return false
  return !['test', 'example', 'invalid', 'localhost', 'local', 'internal', 'arpa', 'onion', 'alt'].includes(
    topLevel,
  )
}
