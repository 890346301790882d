// Keeps an open page fresh: fetches it again and puts the new <main> in the place of the old one, when it differs.
// A hidden tab asks for nothing; a page whose server is gone says so instead of looking current.

const light = document.getElementById('live')
let shown = main(document)?.innerHTML
let timer

document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : refresh()))
if (plan() > 0) say('live', 'live')

function plan() {
  clearTimeout(timer)
  const pause = Number(main(document)?.dataset.refresh)
  if (pause > 0 && !document.hidden) timer = setTimeout(refresh, pause)
  return pause
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(10_000), cache: 'no-cache' })
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), 'text/html'))
    if (answer.ok) say('live', isSelecting() ? 'waits while you select' : 'live')
    else say('lost', `not refreshed: ${answer.status}`)
  } catch {
    say('lost', 'not refreshed: the page has no server')
  }
  plan()
}

function show(fresh) {
  const next = main(fresh)
  if (!next || next.innerHTML === shown || isSelecting()) return
  shown = next.innerHTML
  const old = main(document)
  keepDetails(old, next)
  const focused = document.activeElement?.closest('details')?.dataset.key
  const { scrollX, scrollY } = window
  old.replaceWith(next)
  document.title = fresh.title
  if (focused) byKey(next, focused)?.querySelector('summary')?.focus({ preventScroll: true })
  window.scrollTo({ left: scrollX, top: scrollY, behavior: 'instant' })
}

/** What a person has opened stays open. */
function keepDetails(old, next) {
  for (const details of old.querySelectorAll('details[data-key]')) {
    const twin = byKey(next, details.dataset.key)
    if (twin) twin.open = details.open
  }
}

function byKey(within, key) {
  return within.querySelector(`details[data-key="${CSS.escape(key)}"]`)
}

/** Nobody wants the text pulled from under a selection. */
function isSelecting() {
  const selection = document.getSelection()
  return selection !== null && !selection.isCollapsed
}

function say(state, words) {
  light.dataset.state = state
  if (light.textContent !== words) light.textContent = words
}

function main(within) {
  return within.querySelector('main')
}
