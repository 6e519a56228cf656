import { cborToJson, cidToString } from '@rookery/syntax'

const end = Buffer.from('}')

/** Returns a stored record as the JSON text `{uri, cid, value}`. */
export function recordJson(uri: string, row: { cid: Buffer; bytes: Buffer }): Buffer {
  // Neither a CID nor an AT-URI has a character that JSON escapes.
  const head = Buffer.from(`{"uri":"${uri}","cid":"${cidToString(row.cid)}","value":`)
  return Buffer.concat([head, cborToJson(row.bytes), end])
}
