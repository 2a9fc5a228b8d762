"""Both backends of the engine's matrix products, against float64."""

import subprocess
import sys
import weakref

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

import circuitboard as cb
from circuitboard.engine import gemm
from circuitboard.engine.gemm import Backend, best_backend, pack
from circuitboard.errors import EngineError
from circuitboard.models.anatomy import Linear
from tests.tiny_models import FAMILIES

CPU = torch.device("cpu")
SHAPES = [(768, 2304), (3072, 768), (48, 32), (13, 7), (1, 1)]
NO_KERNELS = gemm._no_kernels(torch.float32, CPU)
needs_packed = pytest.mark.skipif(NO_KERNELS is not None, reason=f"packed kernels: {NO_KERNELS}")
BACKENDS = [Backend.STOCK, pytest.param(Backend.PACKED, marks=needs_packed)]


def linear(d_in, d_out, *, bias=True, dtype=torch.float32):
    draw = torch.Generator().manual_seed(0)
    weight = torch.randn(d_out, d_in, generator=draw, dtype=torch.float64).to(dtype)
    return Linear(weight, torch.randn(d_out, generator=draw, dtype=torch.float64).to(dtype) if bias else None)


def rows(n, d_in, dtype=torch.float32):
    return torch.randn(n, d_in, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv(gemm.ENVIRONMENT, raising=False)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("d_in", "d_out"), SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_products_are_right_to_float32_rounding(backend, d_in, d_out, bias):
    part = linear(d_in, d_out, bias=bias)
    multiply = pack(part, backend, rows_hint=64)
    assert multiply.backend is backend
    none = torch.zeros(d_out, dtype=torch.float64)
    offset = none if part.bias is None else part.bias.double()
    for n in (0, 1, 2, 15, 64, 130):
        x = rows(n, d_in)
        exact = F.linear(x.double(), part.weight.double(), offset)
        scale = F.linear(x.abs().double(), part.weight.abs().double(), offset.abs())
        found = multiply(x)
        assert found.shape == (n, d_out)
        assert found.dtype == torch.float32
        assert bool(((found - exact).abs() <= 8 * torch.finfo(torch.float32).eps * scale).all())


@needs_packed
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("d_in", "d_out"), SHAPES)
def test_packed_a_row_gives_the_same_bits_in_any_batch(threads, d_in, d_out):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        multiply = pack(linear(d_in, d_out), Backend.PACKED, rows_hint=64)
        x = rows(300, d_in)
        together = multiply(x)
        for n in (1, 2, 3, 4, 5, 7, 8, 11, 15, 16, 17, 31, 33, 64, 65, 129, 255):
            assert torch.equal(multiply(x[:n].contiguous()), together[:n]), n
            assert torch.equal(multiply(x[-n:].contiguous()), together[-n:]), n
    finally:
        torch.set_num_threads(before)


@needs_packed
def test_packed_weights_may_be_views_and_are_not_changed():
    straight = linear(48, 32)
    turned = Linear(straight.weight.t().contiguous().t(), straight.bias)
    kept = turned.weight.clone()
    x = rows(20, 48)
    assert torch.equal(pack(turned, Backend.PACKED, rows_hint=20)(x), pack(straight, Backend.PACKED, rows_hint=20)(x))
    assert torch.equal(turned.weight, kept)


@needs_packed
def test_packed_bytes_are_those_of_one_copy():
    part = linear(768, 768)
    assert pack(part, Backend.PACKED, rows_hint=64).packed_bytes == part.weight.nbytes
    assert pack(part, Backend.STOCK, rows_hint=64).packed_bytes == 0


@needs_packed
def test_equal_weights_share_a_copy_for_as_long_as_it_is_in_use():
    first = pack(linear(48, 32), Backend.PACKED, rows_hint=64)
    second = pack(linear(48, 32, bias=False), Backend.PACKED, rows_hint=64)
    assert second.packed is first.packed
    assert second.linear.bias is None
    held = weakref.ref(first.packed)
    del first
    assert held() is second.packed
    del second
    assert held() is None


@needs_packed
def test_a_weight_that_was_written_to_has_a_copy_of_its_own():
    mine = linear(48, 32)
    first = pack(mine, Backend.PACKED, rows_hint=64)
    for place in ((0, 0), (7, 5)):  # the first number is among those that copies are told by, the other is not
        mine.weight.data[place] += 1.0
        again = pack(mine, Backend.PACKED, rows_hint=64)
        assert again.packed is not first.packed
        torch.testing.assert_close(again(rows(20, 48)), F.linear(rows(20, 48), mine.weight, mine.bias))


@needs_packed
def test_boards_of_one_model_share_packed_weights(monkeypatch):
    monkeypatch.setenv(gemm.ENVIRONMENT, "packed")
    # Weights that no board of another test has.
    model, made = FAMILIES["gpt2"]().eval(), []
    for parameter in model.original_model.parameters():
        parameter.data.add_(torch.randn(parameter.shape) * 0.01)
    reorder = gemm._reorder
    monkeypatch.setattr(gemm, "_reorder", lambda *args: made.append(1) or reorder(*args))
    prompts = cb.PromptPair(torch.tensor([[5, 6, 7]]), torch.tensor([[5, 8, 7]]), answer=1, wrong=2)
    first = cb.Board(model, prompts, engine="wavefront")
    n = len(made)
    second = cb.Board(model, prompts, engine="wavefront")
    assert n > 0
    assert len(made) == n
    assert second.edit(cb.head(1, 1).zero()).value == first.edit(cb.head(1, 1).zero()).value
    first.close()
    second.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_are_not_lost(backend):
    part = linear(48, 32)
    x = rows(5, 48).requires_grad_()
    pack(part, backend, rows_hint=64)(x).sum().backward()
    assert torch.allclose(x.grad, part.weight.sum(0).expand(5, -1))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_dtypes_stay_stock(dtype):
    part = linear(48, 32, dtype=dtype)
    multiply = pack(part, Backend.PACKED, rows_hint=64)
    assert multiply.backend is Backend.STOCK
    assert torch.equal(multiply(rows(5, 48, dtype)), part(rows(5, 48, dtype)))
    backend, why = best_backend(dtype, CPU)
    assert backend is Backend.STOCK
    assert "float32 on the CPU" in why


def test_other_devices_stay_stock():
    assert best_backend(torch.float32, torch.device("meta")) == (
        Backend.STOCK,
        "packed kernels are for float32 on the CPU, not float32 on meta",
    )


def test_the_variable_overrules_the_probe(monkeypatch):
    monkeypatch.setenv(gemm.ENVIRONMENT, "stock")
    assert best_backend(torch.float32, CPU)[0] is Backend.STOCK
    if NO_KERNELS is None:
        monkeypatch.setenv(gemm.ENVIRONMENT, "packed")
        assert best_backend(torch.float32, CPU)[0] is Backend.PACKED
    monkeypatch.setenv(gemm.ENVIRONMENT, "fast")
    with pytest.raises(EngineError, match="stock or packed") as caught:
        best_backend(torch.float32, CPU)
    assert caught.value.code == "unknown_gemm"


def test_packed_kernels_that_are_inexact_are_refused(monkeypatch):
    """Products of bfloat16 numbers are what a backend that cuts corners would give."""

    def rough(x, packed, bias):
        return F.linear(x.bfloat16(), packed.bfloat16(), bias.bfloat16()).float()

    monkeypatch.setattr(gemm, "_no_kernels", lambda dtype, device: None)
    monkeypatch.setattr(gemm, "_reorder", lambda weight, n: weight)
    monkeypatch.setattr(gemm, "_multiply", rough)
    monkeypatch.setattr(gemm, "_probe", gemm._probe.__wrapped__)
    backend, why = best_backend(torch.float32, CPU)
    assert backend is Backend.STOCK
    assert "more than rounding" in why
    monkeypatch.setenv(gemm.ENVIRONMENT, "packed")
    with pytest.raises(EngineError) as caught:
        best_backend(torch.float32, CPU)
    assert caught.value.code == "gemm_refused"


def test_packed_kernels_that_fail_are_refused_with_their_words(monkeypatch):
    def fails(weight, n):
        raise RuntimeError("no such primitive")

    monkeypatch.setattr(gemm, "_no_kernels", lambda dtype, device: None)
    monkeypatch.setattr(gemm, "_reorder", fails)
    monkeypatch.setattr(gemm, "_probe", gemm._probe.__wrapped__)
    assert best_backend(torch.float32, CPU) == (
        Backend.STOCK,
        "oneDNN's packed kernels fail (no such primitive)",
    )


def test_kernels_no_faster_than_stock_are_not_worth_a_copy(monkeypatch):
    monkeypatch.setattr(gemm, "_no_kernels", lambda dtype, device: None)
    monkeypatch.setattr(gemm, "_probe", lambda: (None, 0.97))
    backend, why = best_backend(torch.float32, CPU)
    assert backend is Backend.STOCK
    assert "0.97" in why


def test_the_probe_runs_once_in_a_process_and_says_why():
    script = (
        "import torch; from circuitboard.engine.gemm import best_backend, _probe;"
        "cpu = torch.device('cpu');"
        "a = best_backend(torch.float32, cpu); b = best_backend(torch.float32, cpu);"
        "assert a == b and a[1]; assert _probe.cache_info().misses <= 1; print(*a)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip()
