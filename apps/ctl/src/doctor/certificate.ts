import { once } from 'node:events'
import { connect } from 'node:tls'

/**
 * Returns when the certificate that a server shows under a name ends, in milliseconds since the epoch, whether it is
 * good or not; undefined if it shows none.
 *
 * @throws whatever the connection fails with.
 */
export async function certificateEnd(url: URL, timeoutMs: number): Promise<number | undefined> {
  const { hostname: host } = url
  const port = Number(url.port || 443)
  const socket = connect({ host, port, servername: host, rejectUnauthorized: false, timeout: timeoutMs })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(timeoutMs) })
    const ends = Date.parse(socket.getPeerCertificate().valid_to)
    return Number.isNaN(ends) ? undefined : ends
  } finally {
    socket.destroy()
  }
}
