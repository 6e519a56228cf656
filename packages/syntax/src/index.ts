export {
  type Cid,
  InvalidCidError,
  cidBytes,
  cidEquals,
  cidForCbor,
  cidForRawDigest,
  cidToString,
  isCid,
  isRawCid,
  parseCid,
  tryParseCid,
} from './cid.ts'
export { type Tid, TidClock, isTid, tidAfter, tidFrom, tidMicros } from './tid.ts'
