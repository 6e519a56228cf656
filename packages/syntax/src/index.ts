export { type AtUri, type AtUriParts, atUri, isAtUri, parseAtUri, tryParseAtUri } from './at-uri.ts'
export {
  type Cid,
  InvalidCidError,
  cidBytes,
  cidEquals,
  cidForCbor,
  cidForRawDigest,
  cidKey,
  cidToString,
  isBase32Cid,
  isCid,
  isRawCid,
  parseCid,
  tryParseCid,
} from './cid.ts'
export { base64Bytes, isBase64 } from './data-model/base64.ts'
export { decodeData, decodeDataObject } from './data-model/decode.ts'
export { encodeData } from './data-model/encode.ts'
export { type BlobRef, blobOf, blobRefs, links } from './data-model/refs.ts'
export { JsonText } from './data-model/json-text.ts'
export { type DataObject, type DataValue, checkData, checkDataObject, linkOf } from './data-model/value.ts'
export {
  type IdentifierKind,
  InvalidCborError,
  InvalidDataError,
  InvalidHandleError,
  InvalidIdentifierError,
} from './errors.ts'
export {
  type Handle,
  invalidHandle,
  isHandle,
  isHandleTldAllowed,
  parseHandle,
  tryParseHandle,
} from './handle.ts'
export {
  type AtIdentifier,
  type Datetime,
  type Did,
  type Nsid,
  type RecordKey,
  isAtIdentifier,
  isCidString,
  isDatetime,
  isDid,
  isLanguage,
  isNsid,
  isRecordKey,
  isUri,
  nsidAuthority,
  parseAtIdentifier,
  parseDatetime,
  parseDid,
  parseNsid,
  parseRecordKey,
  tryParseAtIdentifier,
  tryParseDatetime,
  tryParseDid,
  tryParseNsid,
  tryParseRecordKey,
} from './identifiers.ts'
export {
  cidCharsMax,
  dataDepthMax,
  dataElementsMax,
  dataKeyBytesMax,
  didCharsMax,
  handleCharsMax,
  nsidCharsMax,
  recordBytesMax,
  recordKeyCharsMax,
  uriCharsMax,
} from './limits.ts'
export { type Tid, TidClock, isTid, tidAfter, tidFrom, tidMicros } from './tid.ts'
