from pytest_moa.proof.boundaries import at_edges, edges_of


def test_numbers_come_first_and_then_their_neighbours() -> None:
    assert edges_of([5, "five", 7, 0.5, True]) == [5, 7, 0.5, 4, 6, 8]


def test_one_number_at_a_time_is_exchanged_also_in_what_arguments_are_made_from() -> None:
    found = list(at_edges("price(Parcel(1, value=-2), 3, name, {4})", [5]))
    assert found == [
        "price(Parcel(1, value=-2), 3, name, set())",
        "price(Parcel(1, value=-2), 5, name, {4})",
        "price(Parcel(5, value=-2), 3, name, {4})",
        "price(Parcel(1, value=5), 3, name, {4})",
    ]


def test_one_argument_at_a_time_is_empty_first() -> None:
    assert list(at_edges("join('a', [b'b'], {'c': ()})", [])) == [
        "join('', [b'b'], {'c': ()})",
        "join('a', [], {'c': ()})",
        "join('a', [b'b'], {})",
        "join('a', [b'b'], {'c.x': ()})",
    ]


def test_texts_are_exchanged_as_a_whole_and_in_part_and_keys_become_paths() -> None:
    assert list(at_edges("load(Url('http://a.org/b'), {'key': 1})", [], ["1a2"]))[2:] == [
        "load(Url('1a2'), {'key': 1})",
        "load(Url('1a2://a.org/b'), {'key': 1})",
        "load(Url('http://1a2/b'), {'key': 1})",
        "load(Url('http://a.org/1a2'), {'key': 1})",
        "load(Url('http://a.org/b'), {'key.x': 1})",
    ]
