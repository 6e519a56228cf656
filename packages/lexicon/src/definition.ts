/*
 * The lexicon language, version 1: what documents are made of. Fields that only people read are left out.
 */

/** Definition of a boolean. */
export type BooleanDefinition = { type: 'boolean'; default?: boolean; const?: boolean }

/** Definition of an integer; bounds are inclusive. */
export type IntegerDefinition = {
  type: 'integer'
  default?: number
  const?: number
  enum?: number[]
  minimum?: number
  maximum?: number
}

/** Definition of a text; lengths count bytes of UTF-8. */
export type StringDefinition = {
  type: 'string'
  format?: string
  default?: string
  const?: string
  enum?: string[]
  knownValues?: string[]
  minLength?: number
  maxLength?: number
  minGraphemes?: number
  maxGraphemes?: number
}

/** Definition of bytes; lengths count them raw. */
export type BytesDefinition = { type: 'bytes'; minLength?: number; maxLength?: number }

/** Definition of a blob; `maxSize` in bytes, `accept` media types or patterns. */
export type BlobDefinition = { type: 'blob'; accept?: string[]; maxSize?: number }

/** Definition of an array. */
export type ArrayDefinition = {
  type: 'array'
  items: FieldDefinition
  minLength?: number
  maxLength?: number
}

/** Definition of a map with known fields; others may be there too. */
export type ObjectDefinition = {
  type: 'object'
  properties?: Record<string, FieldDefinition>
  required?: string[]
  nullable?: string[]
}

/** One of several definitions, told apart by `$type`. */
export type UnionDefinition = { type: 'union'; refs: string[]; closed?: boolean }

/** What a field, or an item of an array, can be. */
type FieldDefinition =
  | BooleanDefinition
  | IntegerDefinition
  | StringDefinition
  | BytesDefinition
  | BlobDefinition
  | ArrayDefinition
  | ObjectDefinition
  | UnionDefinition
  | { type: 'cid-link' }
  | { type: 'unknown' }
  | { type: 'ref'; ref: string }

/** Definition of query parameters: scalars and arrays of them. */
export type ParamsDefinition = {
  type: 'params'
  properties: Record<string, FieldDefinition>
  required?: string[]
}

/** Definition of a body. */
export type BodyDefinition = { encoding: string; schema?: FieldDefinition }

/** Definition of an XRPC method. */
type MethodDefinition = {
  type: 'query' | 'procedure' | 'subscription'
  parameters?: ParamsDefinition
  input?: BodyDefinition
  output?: BodyDefinition
  message?: { schema?: UnionDefinition }
  errors?: { name: string }[]
}

/** Definition of a record; `key` is a record key type (SPEC ID-9). */
export type RecordDefinition = { type: 'record'; key: string; record: ObjectDefinition }

/** Definition of a set of OAuth permissions. */
export type PermissionSetDefinition = {
  type: 'permission-set'
  permissions: { type: 'permission'; resource: string; [field: string]: unknown }[]
}

/** What a document can define. */
export type Definition =
  | FieldDefinition
  | RecordDefinition
  | MethodDefinition
  | PermissionSetDefinition
  | { type: 'token' }

/** A lexicon document: definitions under one NSID. */
export type LexiconDocument = { lexicon: 1; id: string; defs: Record<string, Definition> }
