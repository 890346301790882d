export { renderMatrix } from './markdown.ts'
export { type Matrix, voidMatrix } from './matrix.ts'
export { readMatrix } from './reader.ts'
