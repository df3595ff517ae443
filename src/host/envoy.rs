//! Every call into Envoy, and the only place with `unsafe` and with memory that the host filled.
//!
//! The SDK's own wrappers panic on a status that they do not expect, read header names as UTF-8, and cannot
//! give response-code details; a panic ends the worker's VM. So the calls are declared here as the ABI has
//! them, and each failure is a value.

use std::time::Duration;

use crate::header::map;
use crate::response::Response;
use crate::time::UnixTime;

/// A call that the host did not carry out, with its status (proxy-wasm ABI 0.2.1, `proxy_status_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostError {
    pub(super) call: &'static str,
    pub(super) status: u32,
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed with status {}", self.call, self.status)
    }
}

impl HostError {
    /// A call that the host carried out, with an answer that makes no sense.
    pub(super) const fn unreadable(call: &'static str) -> Self {
        Self { call, status: OK }
    }
}

type Result<T> = std::result::Result<T, HostError>;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;

#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Map {
    RequestHeaders = 0,
    RequestTrailers = 1,
    CalloutResponseHeaders = 6,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum Level {
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum MetricKind {
    /// It only grows.
    Counter = 0,
    Gauge = 1,
}

const CALLOUT_RESPONSE_BODY: u32 = 4;
const PLUGIN_CONFIGURATION: u32 = 7;
/// The stream type whose processing is continued: that of the request.
const HTTP_REQUEST: u32 = 0;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_log_level(level: *mut u32) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, metric: *mut u32) -> u32;
    fn proxy_increment_metric(metric: u32, offset: i64) -> u32;
    fn proxy_record_metric(metric: u32, value: u64) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, size: usize) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(bytes: *mut u8, size: usize) -> u32;
}

fn checked(call: &'static str, status: u32) -> Result<()> {
    if status == OK { Ok(()) } else { Err(HostError { call, status }) }
}

/// Runs a call that answers with memory, and takes the memory over.
fn answer(call: &'static str, run: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>> {
    let mut data: *mut u8 = std::ptr::null_mut();
    let mut size: usize = 0;
    checked(call, run(&raw mut data, &raw mut size))?;
    if data.is_null() || size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the host allocated `size` bytes through `proxy_on_memory_allocate`, which makes a `Vec` of
    // exactly that capacity with the global allocator, filled them, and handed them over.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// Writes a line to Envoy's log. A line that cannot be written is lost: there is nowhere to say so.
pub(super) fn log(level: Level, message: &str) {
    // SAFETY: the pointer and the length are those of a live slice.
    let _lost = unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Whether a line of this level would be written, so that it need not be made.
pub(super) fn logs(level: Level) -> bool {
    let mut configured = 0;
    // SAFETY: the pointer is to a live variable of the type that the ABI names.
    let status = unsafe { proxy_get_log_level(&raw mut configured) };
    status == OK && configured <= level as u32
}

/// The host's clock.
pub(super) fn now() -> Result<UnixTime> {
    let mut nanoseconds = 0;
    // SAFETY: the pointer is to a live variable of the type that the ABI names.
    checked("proxy_get_current_time_nanoseconds", unsafe {
        proxy_get_current_time_nanoseconds(&raw mut nanoseconds)
    })?;
    Ok(UnixTime::from_nanos(nanoseconds))
}

/// The plugin's configuration, of which Envoy says that it is `size` bytes long.
pub(super) fn configuration(size: usize) -> Result<Vec<u8>> {
    // SAFETY: `answer` gives pointers to live variables.
    answer("proxy_get_buffer_bytes", |data, length| unsafe {
        proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, data, length)
    })
}

/// The body of the callout that is being answered, `size` bytes of it.
pub(super) fn callout_body(size: usize) -> Result<Vec<u8>> {
    if size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: `answer` gives pointers to live variables.
    answer("proxy_get_buffer_bytes", |data, length| unsafe {
        proxy_get_buffer_bytes(CALLOUT_RESPONSE_BODY, 0, size, data, length)
    })
}

/// The first copy of a header; none where it is not there.
pub(super) fn value(map: Map, name: &[u8]) -> Result<Option<Vec<u8>>> {
    // SAFETY: the pointer and the length are those of a live slice; `answer` gives pointers to live
    // variables.
    let found = answer("proxy_get_header_map_value", |data, size| unsafe {
        proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size)
    });
    match found {
        Ok(value) => Ok(Some(value)),
        Err(HostError { status: NOT_FOUND, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The host's number for the metric of this name, which all VMs share.
pub(super) fn define_metric(kind: MetricKind, name: &str) -> Result<u32> {
    let mut metric = 0;
    // SAFETY: the pointers are to a live slice, with its length, and to a live variable.
    checked("proxy_define_metric", unsafe {
        proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut metric)
    })?;
    Ok(metric)
}

/// Adds to a metric; only a gauge can be given less than nothing, and none can be given nothing.
pub(super) fn increment(metric: u32, offset: i64) -> Result<()> {
    // SAFETY: the call takes numbers.
    checked("proxy_increment_metric", unsafe { proxy_increment_metric(metric, offset) })
}

/// Sets a gauge.
pub(super) fn record(gauge: u32, value: u64) -> Result<()> {
    // SAFETY: the call takes numbers.
    checked("proxy_record_metric", unsafe { proxy_record_metric(gauge, value) })
}

/// From here on, calls are about this stream.
pub(super) fn enter(stream: u32) -> Result<()> {
    // SAFETY: the call takes a number.
    checked("proxy_set_effective_context", unsafe { proxy_set_effective_context(stream) })
}

/// The request of this stream goes on.
pub(super) fn continue_request() -> Result<()> {
    // SAFETY: the call takes a number.
    checked("proxy_continue_stream", unsafe { proxy_continue_stream(HTTP_REQUEST) })
}

/// Calls this plugin's `on_tick` after this time, about; never where there is none.
pub(super) fn tick_after(wait: Option<Duration>) -> Result<()> {
    // Zero would mean never; and a clock that is set is noticed within the longest wait.
    let wait = wait.map(|wait| wait.clamp(Duration::from_millis(1), Duration::from_secs(10)));
    let period = wait.map_or(0, |wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX));
    // SAFETY: the call takes a number.
    checked("proxy_set_tick_period_milliseconds", unsafe { proxy_set_tick_period_milliseconds(period) })
}

/// Sends a request to a cluster, and gives the host's number for it; none where the host did not send it.
///
/// This call goes through the SDK, which must know whose the answer is. The statuses on which it panics are
/// none that Envoy gives here: it answers Ok, BadArgument or InternalFailure (envoy:
/// source/extensions/common/wasm/context.cc, `Context::httpCall`).
pub(super) fn call_out(cluster: &str, headers: &[(&str, &str)], timeout: Duration) -> Option<u32> {
    proxy_wasm::hostcalls::dispatch_http_call(cluster, headers.to_vec(), None, Vec::new(), timeout).ok()
}

/// The names and values of a header map, as the host serialised them.
pub(super) struct Pairs(Vec<u8>);

/// A header map.
pub(super) fn pairs(map: Map) -> Result<Pairs> {
    // SAFETY: `answer` gives pointers to live variables.
    answer("proxy_get_header_map_pairs", |data, size| unsafe {
        proxy_get_header_map_pairs(map as u32, data, size)
    })
    .map(Pairs)
}

impl Pairs {
    /// The pairs, borrowed from the host's answer.
    pub(super) fn parse(&self) -> Result<Vec<(&[u8], &[u8])>> {
        map::parse(&self.0).ok_or(HostError::unreadable("proxy_get_header_map_pairs"))
    }
}

/// Replaces every copy of a request header by one.
pub(super) fn set_request_header(name: &[u8], value: &[u8]) -> Result<()> {
    // SAFETY: the pointers and the lengths are those of live slices.
    let status = unsafe {
        proxy_replace_header_map_value(
            Map::RequestHeaders as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
    checked("proxy_replace_header_map_value", status)
}

/// Removes every copy of a header or trailer.
pub(super) fn remove(map: Map, name: &[u8]) -> Result<()> {
    // SAFETY: the pointer and the length are those of a live slice.
    checked("proxy_remove_header_map_value", unsafe {
        proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len())
    })
}

/// A property, by the parts of its path with a NUL between; none where the host has none.
pub(super) fn property(path: &str) -> Result<Option<Vec<u8>>> {
    // SAFETY: the pointer and the length are those of a live slice; `answer` gives pointers to live
    // variables.
    let found = answer("proxy_get_property", |data, size| unsafe {
        proxy_get_property(path.as_ptr(), path.len(), data, size)
    });
    match found {
        Ok(value) => Ok(Some(value)),
        Err(HostError { status: NOT_FOUND, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes into the stream's filter state, under `wasm.` and this name.
pub(super) fn set_property(name: &str, value: &[u8]) -> Result<()> {
    // SAFETY: the pointers and the lengths are those of live slices.
    checked("proxy_set_property", unsafe {
        proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// A number that nobody can guess: Envoy's BoringSSL makes it (`RAND_bytes`).
pub(super) fn random() -> Result<u128> {
    let mut bytes = [0; 16];
    // SAFETY: the pointer and the length are those of a live array.
    checked("random_get", unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) })?;
    Ok(u128::from_le_bytes(bytes))
}

/// Calls a function that Envoy registers for filters.
pub(super) fn call_foreign(name: &str, arguments: &[u8]) -> Result<Vec<u8>> {
    // SAFETY: the pointers and the lengths are those of live slices; `answer` gives pointers to live
    // variables.
    answer("proxy_call_foreign_function", |data, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            data,
            size,
        )
    })
}

/// Answers the request here.
pub(super) fn send_local_response(response: &Response) -> Result<()> {
    let headers = response.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let headers = map::serialize(headers);
    // SAFETY: the pointers and the lengths are those of live slices.
    let status = unsafe {
        proxy_send_local_response(
            response.status.into(),
            response.detail.as_ptr(),
            response.detail.len(),
            response.body.as_ptr(),
            response.body.len(),
            headers.as_ptr(),
            headers.len(),
            response.grpc_status,
        )
    };
    checked("proxy_send_local_response", status)
}
