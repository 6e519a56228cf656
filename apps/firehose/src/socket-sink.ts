import type { Socket } from 'node:net'

import type { Sink } from '@rookery/events'
import { WebSocket } from 'ws'

/**
 * Returns the sink of a WebSocket: messages that are framed already go to its TCP socket as they are. The fan-out
 * writes whole messages only, so what `ws` writes itself (pong, close) never lands inside one.
 */
export function socketSink(webSocket: WebSocket, socket: Socket): Sink {
  return {
    get pendingBytes() {
      return socket.writableLength
    },
    write(bytes) {
      if (webSocket.readyState === WebSocket.OPEN) socket.write(bytes)
    },
    close(code, reason) {
      webSocket.close(code, reason)
    },
  }
}
