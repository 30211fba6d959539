import pytest

from parcels import Parcel, price
from parcels.rates import average


def test_price_grows_with_weight_and_distance():
    assert price(Parcel(300)) == 449
    assert price(Parcel(4_000), "europe") == 1_398


def test_insurance_is_added():
    assert price(Parcel(300, value=40_000), insured=True) == 649


def test_too_heavy_is_refused():
    with pytest.raises(ValueError, match="too heavy"):
        price(Parcel(20_001))


def test_average():
    assert average([Parcel(300), Parcel(4_000)]) == 574
