// Keeps an open page current: fetches it again, and replaces <main> if it changed. A hidden tab fetches nothing.

const FETCH_TIMEOUT_MS = 10_000

const status = document.getElementById('live')
let shownHtml = getMain(document)?.innerHTML
let timer

document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : refresh()))
if (scheduleRefresh() > 0) showStatus('live', 'live')

function scheduleRefresh() {
  clearTimeout(timer)
  const refreshMs = Number(getMain(document)?.dataset.refreshMs)
  if (refreshMs > 0 && !document.hidden) timer = setTimeout(refresh, refreshMs)
  return refreshMs
}

async function refresh() {
  try {
    const response = await fetch(location.href, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS), cache: 'no-cache' })
    if (response.ok) {
      update(new DOMParser().parseFromString(await response.text(), 'text/html'))
      showStatus('live', isSelecting() ? 'paused while you select text' : 'live')
    } else showStatus('lost', `not updated: HTTP ${response.status}`)
  } catch {
    showStatus('lost', 'not updated: the server does not answer')
  }
  scheduleRefresh()
}

function update(newDocument) {
  const next = getMain(newDocument)
  if (!next || next.innerHTML === shownHtml || isSelecting()) return
  shownHtml = next.innerHTML
  const previous = getMain(document)
  keepDetailsOpen(previous, next)
  const focusedKey = document.activeElement?.closest('details')?.dataset.key
  const { scrollX, scrollY } = window
  previous.replaceWith(next)
  document.title = newDocument.title
  if (focusedKey) findDetails(next, focusedKey)?.querySelector('summary')?.focus({ preventScroll: true })
  window.scrollTo({ left: scrollX, top: scrollY, behavior: 'instant' })
}

function keepDetailsOpen(previous, next) {
  for (const details of previous.querySelectorAll('details[data-key]')) {
    const same = findDetails(next, details.dataset.key)
    if (same) same.open = details.open
  }
}

function findDetails(parent, key) {
  return parent.querySelector(`details[data-key="${CSS.escape(key)}"]`)
}

/** An update would remove the selection. */
function isSelecting() {
  const selection = document.getSelection()
  return selection !== null && !selection.isCollapsed
}

function showStatus(state, text) {
  status.dataset.state = state
  if (status.textContent !== text) status.textContent = text
}

function getMain(parent) {
  return parent.querySelector('main')
}
