import assert from 'node:assert/strict'
import { test } from 'node:test'
import { removeHidden } from '#forge/issues/visible-text.ts'
import { assertGrowsLinearly } from '../../fixtures/growth.ts'

const hidden: [what: string, text: string, shown: string][] = [
  ['a comment in a line', 'a <!-- x\n y --> b', 'a  b'],
  ['a comment of its own', 'a\n\n<!-- x\n\ny -->\n\nb', 'a\n\n\n\nb'],
  ['one without an end', 'a\n<!-- to the end\n\n```\ncode\n```', 'a\n'],
  ['one without an end, in HTML that ends before it', '<div>\n<!-- x\n\ny\n', '<div>\n'],
  ['one in a list and in a quote', '- a <!-- x -->\n> <!-- y -->\n', '- a \n> \n'],
  ['one that looks like code', 'a <!-- `x` --> `<!-- y -->`', 'a  `<!-- y -->`'],
  ['one whose end is in code after it', 'a\n\n<!-- x\n`-->` b', 'a\n\n` b'],
  ['other markup', 'a <?x y?> <!X y> <![CDATA[ z ]]> b', 'a    b'],
  ['a definition that no link uses', 'a\n\n[//]: # (x)\n[b]: c\n  "x"\n\nd', 'a\n\n\nd'],
  ['one in a quote', '> a\n>\n> [x y]: # "z"', '> a\n>'],
  ['a footnote to which nothing leads', 'a\n\n[^1]: order x\nof y\n\n    and z\n\nb', 'a\n\n\n\nb'],
  [
    'attributes of HTML',
    '<a href="https://x.test" title="order x">b</a> <p data-x=\'y z\'>c</p>',
    '<a href="https://x.test">b</a> <p>c</p>',
  ],
  ['titles of links', '[a](https://x.test "order x") ![b](c.png \'y&#32;z\')', '[a](https://x.test) ![b](c.png)'],
  ['the title of a definition', '[a]\n\n[a]: https://x.test "order x"', '[a]\n\n[a]: https://x.test'],
  ['a link without words', 'a [](https://x.test/order-x) b', 'a  b'],
  ['long words of an image', `![${'order '.repeat(20)}x](a.png)`, '![](a.png)'],
  ['words behind the language of code', 'a\n\n```js order x\nb\n```', 'a\n\n```js\nb\n```'],
]

const shown: [what: string, text: string][] = [
  ['code in a line', 'a `<!-- x -->` b ``<!-- ` -->``'],
  ['a fence', 'a\n```html\n<!-- x -->\n[//]: # (y)\n```\nb'],
  ['a fence without an end', '~~~\n<!-- x -->'],
  ['code by its indent', 'a\n\n    <!-- x -->\n    [//]: # (y)\n'],
  ['a fence in a list', '- a\n\n  ```\n  <!-- x -->\n  ```\n'],
  ['what only looks like a comment', 'a <!-- b\n\nc --> d, in text `<!--` e, \\<!-- f -->'],
  ['a comment without words', 'a <!--> b <!---> c'],
  ['HTML that is shown', '<details><summary>a</summary>\n\nb\n\n</details>'],
  ['a definition that a link uses', 'see [The  docs][] and [b][c]\n\n[the docs]: https://x.test\n[c]: y'],
  ['other lines without words', '- a\n-\n\n---\n\n| a |\n| - |\n| b |\n\nTitle\n=====\n\n> a\n>\n> [ ] b\n'],
  ['a task', '- [ ] a\n- [x] b: c\n'],
  ['a footnote', 'a[^1] b\n\n[^1]: c\n    d\n'],
  ['what looks so in code', '`[](a)` `<a title="b">`\n\n```html\n<a title="b c">\n[^1]: d\n[e](f "g h")\n```'],
  ['quotes in text', 'say "hello" (twice)\n\nand ("so")\n'],
  ['an image and a link', '![a screen](a.png) <img width="600" alt="image" src="https://b.test/c.png" /> [c](d)'],
  ['a code span with generics', 'use Map<string, "a b"> and a < b > c'],
]

for (const [what, text, expected] of hidden)
  test(`GitHub does not show ${what}`, () => assert.equal(removeHidden(text), expected))

for (const [what, text] of shown) test(`to the letter: ${what}`, () => assert.equal(removeHidden(text), text))

// Comments of anyone reach the daemon's only thread.
for (const sign of ['<?', '<!--', '<!A', '<![CDATA['])
  test(`many ${sign} without an end take time in proportion to their number`, () =>
    assertGrowsLinearly(sign, 16_000, size => {
      removeHidden(sign.repeat(size))
    }))
