import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selectCargoSources } from '#host/project'

test('of the settings of cargo only the places of crates are kept', () => {
  const text = `[build]
rustc-wrapper = "/opt/wrapper"
[registries.corp] # ours
index = "sparse+https://cargo.example/index/"
token = "secret"
credential-provider = "cargo:token"
[registries]
other = { index = "https://git.example/index", token = "secret" }
login = { index = "https://me:secret@git.example/index" }
[source.crates-io]
replace-with = "mirror"
[source."mirror"]
registry = "sparse+https://mirror.example/"
[net]
git-fetch-with-cli = true
[registry]
token = "secret"
`
  assert.equal(
    selectCargoSources(text),
    `registries.corp.index = "sparse+https://cargo.example/index/"
registries.other.index = "https://git.example/index"
source.crates-io.replace-with = "mirror"
source."mirror".registry = "sparse+https://mirror.example/"
`,
  )
})
