export { bundledIds, bundledLexicons } from './bundled.ts'
export type { ParamValue, Query } from './checks/params.ts'
export type { LexiconDocument, PermissionSetDefinition } from './definition.ts'
export { parseDocument } from './document.ts'
export { parseForeignDocument } from './foreign-document.ts'
export { foreignDocumentBytesMax } from './limits.ts'
export {
  InvalidInputError,
  InvalidLexiconError,
  InvalidOutputError,
  InvalidParamsError,
  InvalidRecordError,
} from './errors.ts'
export { LexiconRegistry, type MethodInfo } from './registry.ts'
