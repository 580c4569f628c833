// Requests to the server, relative to the page's <base>.

/** The path below which the page and the API are, with a slash at its end. */
export function basePath(): string {
  return typeof document === "undefined" ? "/" : new URL(document.baseURI).pathname.replace(/[^/]*$/, "");
}

export function apiUrl(path: string): string {
  return `${basePath()}api/v1/${path}`;
}

/** A refusal of the server, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string | null,
  ) {
    super(detail ? `${title}: ${detail}` : title);
  }
}

const TIMEOUT_MS = 15_000;

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(apiUrl(path), {
      method,
      credentials: "same-origin",
      headers: {
        accept: "application/json",
        ...(method === "GET" ? {} : { "x-forewarn": "1" }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (limit.aborted) throw new ApiError(0, "The server is slow", `no answer within ${TIMEOUT_MS / 1000} s`);
    throw new ApiError(0, "The server cannot be reached", null);
  }
  const text = await response.text();
  if (!response.ok) throw refusal(response.status, text);
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(response.status, "The answer is not JSON", path);
  }
}

/** The refusal in an answer: RFC 9457 where the server wrote it, else the status alone. */
export function refusal(status: number, text: string): ApiError {
  try {
    const problem = JSON.parse(text) as { title?: unknown; detail?: unknown };
    const title = typeof problem.title === "string" ? problem.title : `Status ${status}`;
    return new ApiError(status, title, typeof problem.detail === "string" ? problem.detail : null);
  } catch {
    return new ApiError(status, `Status ${status}`, null);
  }
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>("GET", path, undefined, signal);
}

export function post<T>(path: string, body: unknown = {}): Promise<T> {
  return request<T>("POST", path, body);
}

export function remove(path: string): Promise<void> {
  return request<void>("DELETE", path);
}

/** A query string of what is set, with its question mark. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}
