/** Largest document from the network, in bytes of its CBOR: the largest of the bundled ones has 28 KB without its descriptions. */
export const foreignDocumentBytesMax = 128 * 1024

/** How deep a document from the network may be nested: the bundled ones are 9 levels deep. */
export const foreignDocumentDepthMax = 32

/** Values in a document from the network, maps and lists included: the bundled ones have up to 1,200. */
export const foreignDocumentValuesMax = 10_000

/** Media types that one blob of a document from the network may accept: each is compared with the blob's. */
export const foreignAcceptMax = 64

/** Bounds on graphemes that a document from the network may set: counting them is slow. */
export const foreignGraphemesMax = 100_000
