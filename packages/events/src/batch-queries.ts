/** Returns the SQL of one event of a batch, as `takeMessages` reads it, from a row with seq, host_id and frame. */
export function batchedEvent(row: string): string {
  return `int8send(${row}.seq) || int4send(${row}.host_id) || int4send(octet_length(${row}.frame)) || ${row}.frame`
}
