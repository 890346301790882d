/** What the scripted forge answers has the shapes that octokit publishes for GitHub: `tsc` compares them. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import type { RestEndpointMethodTypes } from '@octokit/rest'
import type * as checkShapes from '#rehearsal/forge/check-shapes.ts'
import { route } from '#rehearsal/forge/router.ts'
import { startScriptedForge } from '#rehearsal/forge/scripted-forge.ts'
import type * as otherShapes from '#rehearsal/forge/shapes.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

type Answer<
  Area extends keyof RestEndpointMethodTypes,
  Name extends keyof RestEndpointMethodTypes[Area],
> = RestEndpointMethodTypes[Area][Name] extends { response: { data: infer Data } } ? Data : never
type Element<List> = List extends readonly (infer Each)[] ? Each : never

/** What is served of a shape: some of its fields, each with its type. */
type Part<Full> = Full extends readonly (infer Each)[]
  ? Part<Each>[]
  : Full extends object
    ? { [Key in keyof Full]?: Part<Full[Key]> | undefined }
    : Full
/** The names that the shape does not have, as `user.nam`. */
type Strange<Given, Full> = Given extends readonly (infer Each)[]
  ? Strange<Each, Element<Full>>
  : Given extends object
    ? NonNullable<Full> extends infer Known
      ? {
          [Key in keyof Given & string]: Key extends AllKeys<Known>
            ? Strange<NonNullable<Given[Key]>, NonNullable<ValueOf<Known, Key>>>
            : Key
        }[keyof Given & string]
      : never
    : never
type AllKeys<Union> = Union extends unknown ? keyof Union : never
type ValueOf<Union, Key extends PropertyKey> = Union extends { [Name in Key]?: infer Value } ? Value : never

/** Compiles only where every field that is served is one of GitHub's, with its type. */
type Honest<Given extends Part<Full>, Full> = [Strange<Given, Full>] extends [never] ? true : Strange<Given, Full>
type Shapes = typeof checkShapes & typeof otherShapes
type Render<Name extends keyof Shapes> = ReturnType<Extract<Shapes[Name], (...args: never[]) => unknown>>

const honest: [
  Honest<Render<'renderUser'>, Answer<'users', 'getByUsername'>>,
  Honest<Render<'renderRepository'>, Answer<'repos', 'get'>>,
  Honest<Omit<Render<'renderPull'>, 'mergeable_state'>, Answer<'pulls', 'get'>>,
  Honest<Render<'renderIssue'>, Answer<'issues', 'get'>>,
  Honest<Render<'renderComment'>, Answer<'issues', 'getComment'>>,
  Honest<Render<'renderLineComment'>, Answer<'pulls', 'getReviewComment'>>,
  Honest<Render<'renderReview'>, Answer<'pulls', 'getReview'>>,
  Honest<Render<'renderCheckRun'>, Answer<'checks', 'get'>>,
  Honest<Render<'renderCheckSuite'>, Answer<'checks', 'getSuite'>>,
  Honest<Render<'renderJob'>, Answer<'actions', 'getJobForWorkflowRun'>>,
  Honest<Render<'renderWorkflowRun'>, Answer<'actions', 'getWorkflowRun'>>,
  Honest<Render<'renderAnnotation'>, Element<Answer<'checks', 'listAnnotations'>>>,
  Honest<Render<'renderStatus'>, Element<Answer<'repos', 'listCommitStatusesForRef'>>>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true]

test('each shape is a part of the one that GitHub has', () => {
  assert.ok(honest.every(Boolean))
})

test('a path with several parts is one name, and takes the rest', () => {
  const { pattern, names } = route('GET /repos/:owner/:repo/branches/*branch', undefined, () => ({ status: 200 }))
  assert.deepEqual(names, ['owner', 'repo', 'branch'])
  assert.equal(pattern.exec('/repos/a/b/branches/dispatch/x')?.[3], 'dispatch/x')
  assert.equal(pattern.exec('/repos/a/b'), null)
})

test('an answer without a login is 401, and one of another address is 404', async t => {
  const forge = await startScriptedForge(path.join(createScratchFolder(t), 'root'))
  t.after(() => forge.close())
  forge.addToken('secret', { login: 'ada', scopes: ['repo'] })
  assert.equal((await fetch(`${forge.apiUrl}/user`)).status, 401)
  const headers = { authorization: 'token secret' }
  assert.equal((await fetch(`${forge.apiUrl}/nowhere`, { headers })).status, 404)
  assert.equal(((await (await fetch(`${forge.apiUrl}/user`, { headers })).json()) as { login: string }).login, 'ada')
})
