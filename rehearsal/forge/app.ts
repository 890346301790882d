import { created, notFound, ok, type Route, route } from './router.ts'
import { renderUser } from './shapes.ts'
import type { ForgeState } from './state.ts'

/** A GitHub App: where it is installed, and a token for that. */
export const appRoutes: Route[] = [
  route('GET /repos/:owner/:repo/installation', undefined, ({ state, repository }) =>
    state.app === undefined || repository === undefined ? notFound : ok(renderInstallation(state, repository.owner)),
  ),
  route('GET /app/installations/:id', undefined, ({ state, params }) =>
    state.app?.installation === Number(params['id']) ? ok(renderInstallation(state, 'ada')) : notFound,
  ),
  route('POST /app/installations/:id/access_tokens', undefined, ({ state, params }) =>
    state.app?.installation === Number(params['id'])
      ? created({
          token: state.app.token,
          expires_at: new Date(Date.now() + 3_600_000).toISOString(),
          permissions: state.tokens[state.app.token]?.permissions ?? {},
          repository_selection: 'selected',
        })
      : notFound,
  ),
]

// --- internal ---

function renderInstallation(state: ForgeState, owner: string) {
  return {
    id: state.app?.installation ?? 0,
    account: renderUser(state, owner),
    repository_selection: 'selected' as const,
    app_id: 1,
    app_slug: state.app?.id ?? '',
    target_type: 'User',
    permissions: {},
    events: [],
  }
}
