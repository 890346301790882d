export { disarmMarks, escapeMarkdown, fenceText } from './escape-markdown.ts'
export { renderMatrix } from './markdown.ts'
export { type Matrix, voidMatrix } from './matrix.ts'
export { readMatrix } from './reader.ts'
