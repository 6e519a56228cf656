/** Longest DID, in characters (SPEC ID-11). */
export const didCharsMax = 2_048

/** Longest handle, in characters (SPEC ID-13). */
export const handleCharsMax = 253

/** Longest NSID, in characters: authority 253, a dot, name 63 (SPEC ID-5). */
export const nsidCharsMax = 253 + 1 + 63

/** Longest record key, in characters (SPEC ID-8). */
export const recordKeyCharsMax = 512

/** Longest AT-URI and generic URI, in characters: 8 KiB (SPEC ID-15, ID-17). */
export const uriCharsMax = 8 * 1024

/** Longest CID string of any base that a `cid` string field may hold, in characters (SPEC DM-8). */
export const cidCharsMax = 256

/** Largest record block, in bytes: what relays accept (SPEC DM-8, conflict 4). */
export const recordBytesMax = 1_000_000

/** How deep arrays and maps may nest within a value, the value itself included (SPEC DM-8). */
export const dataDepthMax = 32

/** Most elements of one array or map (SPEC DM-8). */
export const dataElementsMax = 131_072

/** Longest map key, in UTF-8 bytes (SPEC DM-8). */
export const dataKeyBytesMax = 8_192
